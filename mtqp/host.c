#include "mtqp/host.h"

#include <idn2.h>

#include "common/address_utf8.h"

enum { LETTERS_MAX = 4 * HOST_MAX /* octets in UTF-8; ours */ };

static bool
put_ascii(struct buf *out, struct span name)
{
	char letters[LETTERS_MAX + 1], *ascii = NULL;
	bool ok = span_copy(letters, sizeof letters, name) &&
	    idn2_to_ascii_8z(letters, &ascii,
		IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK;

	if (ok)
		buf_str(out, ascii);
	idn2_free(ascii);
	return ok;
}

enum mtrk_err
host_parse(struct span s, char host[HOST_MAX + 1], uint16_t *port)
{
	struct buf ascii = BUF(2 * HOST_MAX);
	struct span name, number;
	enum mtrk_err err = MTRK_SYNTAX;
	bool has_port;

	if (address_is_ascii(s))
		return hostport_parse(s, host, port);
	has_port = span_split(s, ':', &name, &number);
	host[0] = '\0';
	if (put_ascii(&ascii, name)) {
		if (has_port)
			buf_chr(&ascii, ':');
		buf_span(&ascii, number);
		err = hostport_parse(buf_as_span(&ascii), host, port);
	}
	buf_free(&ascii);
	return err;
}

bool
host_name(struct span s, char host[HOST_MAX + 1])
{
	uint16_t port;

	return host_parse(s, host, &port) == MTRK_OK && port == 0;
}

const char *
host_idn_version(void)
{
	return idn2_check_version(NULL);
}
