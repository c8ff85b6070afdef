#!/usr/bin/env python3
"""idle.py serve PORT        an SMTP greeter that takes what comes, for ever
   idle.py idle PORT N       N connections that greet and then do nothing
   idle.py slow PORT N       N connections that send one octet a second

The last two say "ready" and stay until they are killed."""
import asyncio, resource, sys

resource.setrlimit(resource.RLIMIT_NOFILE,
                   (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)


async def serve(port):
    async def client(reader, writer):
        writer.write(b"220 idle.test ESMTP\r\n")
        while line := await reader.readline():
            writer.write(b"250-idle.test\r\n250 DSN\r\n"
                         if line[:4].upper() == b"EHLO" else b"250 ok\r\n")
        writer.close()
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
    while slow:
        for _, writer in all_of_them:
            writer.write(b"N")
        await asyncio.sleep(1)
    await asyncio.Event().wait()

what, port = sys.argv[1], int(sys.argv[2])
asyncio.run(serve(port) if what == "serve" else
            crowd(port, int(sys.argv[3]), what == "slow"))
