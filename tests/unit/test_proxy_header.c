/* The PROXY header, version 2, byte by byte. */
#include "tests/lib/cm.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "milter/proxy_header.h"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static union address
address(const char *text, uint16_t port)
{
	union address a = { .v6 = { 0 } };

	if (inet_pton(AF_INET, text, &a.v4.sin_addr) == 1) {
		a.v4.sin_family = AF_INET;
		a.v4.sin_port = htons(port);
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &a.v6.sin6_addr), 1);
		a.v6.sin6_family = AF_INET6;
		a.v6.sin6_port = htons(port);
	}
	return a;
}

static void
bytes(void **state)
{
	static const struct {
		const char *client, *here;
		size_t n;
		const char *want; /* behind the signature */
	} cases[] = {
		{ "192.0.2.7", "192.0.2.1", 28,
		    "\x21\x11\x00\x0c\xc0\x00\x02\x07\xc0\x00\x02\x01\x15\xb3"
		    "\x00\x19" },
		{ "2001:db8::7", "2001:db8::1", 52,
		    "\x21\x21\x00\x24\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00"
		    "\x00\x00\x00\x00\x00\x07\x20\x01\x0d\xb8\x00\x00\x00\x00"
		    "\x00\x00\x00\x00\x00\x00\x00\x01\x15\xb3\x00\x19" },
		/* no pair: LOCAL */
		{ "192.0.2.7", "2001:db8::1", 16, "\x20\x00\x00\x00" },
	};
	unsigned char out[PROXY_HEADER_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		union address a = address(cases[i].client, 5555),
			      b = address(cases[i].here, 25);

		assert_int_equal(proxy_header(&a.any, &b.any, out), cases[i].n);
		assert_memory_equal(out, "\r\n\r\n\0\r\nQUIT\n", 12);
		assert_memory_equal(out + 12, cases[i].want, cases[i].n - 12);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
