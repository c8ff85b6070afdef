#include "common/uri.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/encode.h"

static bool
is_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
	    c == ':';
}

static enum mtrk_err
take_host(struct span s, char host[HOST_MAX + 1])
{
	unsigned char ip[16];

	if (s.n == 0)
		return MTRK_SYNTAX;
	for (size_t i = 0; i < s.n; i++)
		if (!is_host_char(s.p[i]))
			return MTRK_SYNTAX;
	if (!span_copy(host, HOST_MAX + 1, s))
		return MTRK_TOOBIG;
	/* a colon is for IPv6 addresses, and they are true ones */
	if (strchr(host, ':') != NULL && inet_pton(AF_INET6, host, ip) != 1) {
		host[0] = '\0';
		return MTRK_SYNTAX;
	}
	return MTRK_OK;
}

static enum mtrk_err
take_port(struct span s, uint16_t *port)
{
	uint64_t v;

	if (!span_number(s, 65535, &v) || v == 0)
		return MTRK_SYNTAX;
	*port = (uint16_t)v;
	return MTRK_OK;
}

/* host [ ":" port ], "[" IPv6 "]" [ ":" port ], or a bare IPv6 address */
enum mtrk_err
hostport_parse(struct span s, char host[HOST_MAX + 1], uint16_t *port)
{
	struct span head, tail;
	bool has_port;
	enum mtrk_err err;

	*port = 0;
	host[0] = '\0';
	if (s.n > 0 && s.p[0] == '[') {
		if (!span_split(span_from(s, 1), ']', &head, &tail) ||
		    (tail.n > 0 && tail.p[0] != ':'))
			return MTRK_SYNTAX;
		if (memchr(head.p, ':', head.n) == NULL)
			return MTRK_SYNTAX;
		has_port = tail.n > 0;
		tail = span_from(tail, 1);
	} else {
		has_port = span_split(s, ':', &head, &tail);
		if (has_port && memchr(tail.p, ':', tail.n) != NULL) {
			head = s;
			has_port = false;
		}
	}
	err = take_host(head, host);
	return err == MTRK_OK && has_port ? take_port(tail, port) : err;
}

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) & 15 : -1;
}

/* "+" stays what it is (A33). */
static enum mtrk_err
percent_decode(struct span s, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int c = (unsigned char)s.p[i];

		if (c == '%') {
			if (s.n - i < 3 || hex_digit(s.p[i + 1]) < 0 ||
			    hex_digit(s.p[i + 2]) < 0)
				return MTRK_SYNTAX;
			c = hex_digit(s.p[i + 1]) * 16 + hex_digit(s.p[i + 2]);
			i += 2;
		} else if (strchr("/?#", c) != NULL) /* Q38: not as they are */
			return MTRK_SYNTAX;
		if (c <= ' ' || c > '~')
			return MTRK_SYNTAX;
		if (n + 1 >= size)
			return MTRK_TOOBIG;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return n > 0 ? MTRK_OK : MTRK_SYNTAX;
}

/* mtqp-uri = "mtqp://" authority "/track/" unique-envid "/" mtrk-secret */
enum mtrk_err
uri_parse(struct span s, struct mtqp_uri *out)
{
	static const char scheme[] = "mtqp://", track[] = "track/";
	struct span authority, path, envid, secret;
	unsigned char octets[SECRET_TEXT]; /* only to see that it decodes */
	char plain[ENVID_MAX + 1];
	const char *why;
	enum mtrk_err err;
	size_t n;

	*out = (struct mtqp_uri){ 0 };
	if (s.n > URI_MAX)
		return MTRK_TOOBIG;
	if (!span_istarts(s, scheme) ||
	    !span_split(
		span_from(s, sizeof scheme - 1), '/', &authority, &path) ||
	    !span_istarts(path, track) ||
	    !span_split(
		span_from(path, sizeof track - 1), '/', &envid, &secret))
		return MTRK_SYNTAX;
	err = hostport_parse(authority, out->host, &out->port);
	/* RFC 3986 3.2.2: an IPv6 address stands in brackets */
	if (err == MTRK_OK && strchr(out->host, ':') != NULL &&
	    authority.p[0] != '[')
		err = MTRK_SYNTAX;
	if (err == MTRK_OK)
		err = percent_decode(envid, out->envid, sizeof out->envid);
	if (err == MTRK_OK)
		err = envid_parse(span_of(out->envid), plain, &why);
	if (err == MTRK_OK)
		err = percent_decode(secret, out->secret, sizeof out->secret);
	if (err == MTRK_OK)
		err = base64_decode(
		    span_of(out->secret), octets, sizeof octets, &n);
	return err;
}

const char *
uri_fault(struct span s)
{
	struct mtqp_uri uri;
	struct span authority, path, rest;

	if (s.n > URI_MAX)
		return "it is too long";
	if (!span_istarts(s, "mtqp://"))
		return "it does not begin with \"mtqp://\"";
	if (!span_split(span_from(s, 7), '/', &authority, &path) ||
	    path.n < sizeof "track/")
		return "its end is missing, from \"/track/\" on";
	if (!span_istarts(path, "track/"))
		return "behind the server's name there is no \"/track/\"";
	if (!span_split(span_from(path, 6), '/', &rest, &path) || path.n == 0)
		return "its end is missing: the secret";
	if (hostport_parse(authority, uri.host, &uri.port) != MTRK_OK)
		return "the server's name is none";
	return "it is damaged or cut off, in the envelope id or the secret";
}

static void
percent_encode(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		bool plain = *s > ' ' && *s <= '~' &&
		    strchr("/?%#<>\"\\^`{|}[]", *s) == NULL;

		if (plain)
			buf_chr(b, *s);
		else
			buf_fmt(b, "%%%02X", (unsigned)(unsigned char)*s);
	}
}

enum mtrk_err
uri_format(const struct mtqp_uri *u, char *out, size_t size)
{
	bool v6 = strchr(u->host, ':') != NULL;
	struct buf b = BUF(URI_MAX);
	enum mtrk_err err;

	buf_fmt(&b, v6 ? "mtqp://[%s]" : "mtqp://%s", u->host);
	if (u->port != 0)
		buf_fmt(&b, ":%u", u->port);
	buf_str(&b, "/track/");
	percent_encode(&b, u->envid);
	buf_chr(&b, '/');
	percent_encode(&b, u->secret);
	err = (enum mtrk_err)b.err;
	if (err == MTRK_OK && !span_copy(out, size, buf_as_span(&b)))
		err = MTRK_TOOBIG;
	buf_free(&b);
	return err;
}
