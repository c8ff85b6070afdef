/* mtqp: URIs and HOST[:PORT]: what is taken can be written and read back. */
#include <stdlib.h>
#include <string.h>

#include "common/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct span in = { (const char *)data, n };
	char text[URI_MAX + 1], host[HOST_MAX + 1];
	struct mtqp_uri uri, again;
	uint16_t port;

	(void)hostport_parse(in, host, &port);
	if (uri_parse(in, &uri) != MTRK_OK)
		return 0;
	/* encoding can make it too long; never anything else */
	switch (uri_format(&uri, text, sizeof text)) {
	case MTRK_OK:
		break;
	case MTRK_TOOBIG:
		return 0;
	default:
		abort();
	}
	if (uri_parse(span_of(text), &again) != MTRK_OK ||
	    strcmp(uri.host, again.host) != 0 || uri.port != again.port ||
	    strcmp(uri.envid, again.envid) != 0 ||
	    strcmp(uri.secret, again.secret) != 0)
		abort();
	return 0;
}
