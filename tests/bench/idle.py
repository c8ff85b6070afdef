#!/usr/bin/env python3
"""idle.py serve PORT        an SMTP greeter that takes what comes, for ever
   idle.py deaf PORT         the same, which reads no more after EHLO
   idle.py idle PORT N       N connections that greet and then do nothing
   idle.py slow PORT N       N connections that send one octet a second

The last two say "ready" and stay until they are killed."""
import asyncio, resource, sys

resource.setrlimit(resource.RLIMIT_NOFILE,
                   (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)


async def serve(port, deaf):
    all_of_them = []  # or what nobody reads from is collected as garbage

    async def client(reader, writer):
        all_of_them.append((reader, asyncio.current_task()))
        writer.write(b"220 idle.test ESMTP\r\n")
        while line := await reader.readline():
            writer.write(b"250-idle.test\r\n250 DSN\r\n"
                         if line[:4].upper() == b"EHLO" else b"250 ok\r\n")
            if deaf:
                writer.transport.pause_reading()
        writer.close()
        all_of_them.remove((reader, asyncio.current_task()))
    server = await asyncio.start_server(client, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


async def one(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert (await reader.readline()).startswith(b"220")
    writer.write(b"EHLO crowd.test\r\n")
    while (await reader.readline())[3:4] == b"-":
        pass
    return reader, writer


async def crowd(port, n, slow):
    all_of_them = []
    for _ in range(n // 50):
        all_of_them += await asyncio.gather(*[one(port) for _ in range(50)])
    print("ready", flush=True)
    while slow:  # a second, in 50 parts: they don't know of each other
        for part in range(50):
            for _, writer in all_of_them[part::50]:
                writer.write(b"N")
            await asyncio.sleep(0.02)
    await asyncio.Event().wait()

what, port = sys.argv[1], int(sys.argv[2])
asyncio.run(serve(port, what == "deaf") if what in ("serve", "deaf") else
            crowd(port, int(sys.argv[3]), what == "slow"))
