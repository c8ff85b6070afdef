#include <string.h>

#include "common/conf.h"
#include "common/conf_text.h"
#include "common/net.h"

bool
conf_parse_listen(struct span text, struct conf_listen *l)
{
	size_t colon = text.n;
	struct span host;
	bool bracketed;

	while (colon > 0 && text.p[colon - 1] != ':')
		colon--;
	host = (struct span){ text.p, colon > 0 ? colon - 1 : 0 };
	bracketed = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
	if (bracketed)
		host = (struct span){ host.p + 1, host.n - 2 };
	return span_number(span_from(text, colon), 65535, &l->port) &&
	    (bracketed || memchr(host.p, ':', host.n) == NULL) &&
	    span_copy(l->host, sizeof l->host, host) && net_is_address(l->host);
}

static const char *
not_listen(struct span text)
{
	struct conf_listen l;

	if (text.n == 0 || memchr(text.p, ':', text.n) == NULL)
		return "ADDR:PORT expected";
	return conf_parse_listen(text, &l)
	    ? NULL
	    : "a numeric address and a port expected";
}

bool
conf_parse_pair(
    struct span text, char first[CONF_LIST_TEXT], char second[CONF_LIST_TEXT])
{
	struct span a, b;

	if (memchr(text.p, '\t', text.n) != NULL)
		return false;
	span_split(text, ' ', &a, &b);
	b = span_trim(b);
	return a.n > 0 && b.n > 0 && memchr(b.p, ' ', b.n) == NULL &&
	    span_copy(first, CONF_LIST_TEXT, a) &&
	    span_copy(second, CONF_LIST_TEXT, b);
}

static const char *
not_pair(struct span text)
{
	char certificate[CONF_LIST_TEXT], key[CONF_LIST_TEXT];

	const char *why;

	if (text.n == 0 || !conf_parse_pair(text, certificate, key))
		return "CERTIFICATE KEY expected";
	why = conf_not_path(span_of(certificate));
	return why != NULL ? why : conf_not_path(span_of(key));
}

static const char *
not_range(struct span text)
{
	struct net_range r;

	return net_range_parse(text, &r) || conf_not_domain(text) == NULL
	    ? NULL
	    : "a domain or an address range such as 192.0.2.0/24 expected";
}

const char *
conf_list_add(struct conf_list *l, enum conf_list_of of, struct span text)
{
	static const char *(*const why_not[])(struct span) = {
		[CONF_OF_PAIR] = not_pair,
		[CONF_OF_LISTEN] = not_listen,
		[CONF_OF_DOMAIN] = conf_not_domain,
		[CONF_OF_RANGE] = not_range,
	};
	const char *why = why_not[of](text);

	if (why != NULL)
		return why;
	if (l->n == CONF_LIST_MAX)
		return "too many lines of this kind";
	return span_copy(l->text[l->n++], CONF_LIST_TEXT, text) ? NULL
								: "too long";
}
