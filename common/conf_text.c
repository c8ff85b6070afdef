#include "common/conf_text.h"

#include <string.h>

const char *
conf_not_path(struct span text)
{
	return text.n > 0 && text.p[0] == '/' ? NULL
					      : "an absolute path expected";
}

const char *
conf_not_log(struct span text)
{
	if (span_is(text, "-") || span_is(text, "journal"))
		return NULL;
	if (span_starts(text, "journal:"))
		text = span_from(text, strlen("journal:"));
	return conf_not_path(text);
}

static bool
is_inet(struct span text)
{
	struct span port, host;
	uint64_t number;

	if (!span_split(text, '@', &port, &host))
		host = SPAN("any");
	return span_number(port, 65535, &number) && number > 0 && host.n > 0 &&
	    memchr(host.p, ' ', host.n) == NULL;
}

static bool
is_local(struct span text)
{
	return conf_not_path(text) == NULL && text.n > 1 &&
	    text.n <= CONF_UNIX_PATH_MAX;
}

const char *
conf_not_socket(struct span text)
{
	static const struct {
		const char *word;
		bool (*fits)(struct span);
	} families[] = {
		{ "local:", is_local },
		{ "unix:", is_local },
		{ "inet:", is_inet },
		{ "inet6:", is_inet },
		{ "", is_local },
	};
	size_t i = 0;

	while (!span_starts(text, families[i].word))
		i++;
	return families[i].fits(span_from(text, strlen(families[i].word)))
	    ? NULL
	    : "local:PATH or inet:PORT@HOST expected, the path absolute and of"
	      " at most 107 octets";
}

const char *
conf_not_domain(struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i], lower = (char)(c | 0x20);

		if ((lower < 'a' || lower > 'z') && (c < '0' || c > '9') &&
		    c != '-' && c != '.' && c != '_')
			return "a domain expected";
	}
	return text.n == 0 || text.n > 253 || text.p[0] == '.'
	    ? "a domain expected"
	    : NULL;
}
