/*
 * tests/bench/noop-milter.c SOCKET all|least -- the peers, which do nothing at
 * all.  all: a plain libmilter milter with every callback.  least: the limit
 * of whoever has to see that a message has come whole: asks for end-of-header
 * and for nothing else, and accepts there.
 */
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <string.h>

static sfsistat
go_on(SMFICTX *ctx)
{
	(void)ctx;
	return SMFIS_CONTINUE;
}

static sfsistat
on_connect(SMFICTX *ctx, char *host, struct sockaddr *sa)
{
	(void)host, (void)sa;
	return go_on(ctx);
}

static sfsistat
on_text(SMFICTX *ctx, char *text)
{
	(void)text;
	return go_on(ctx);
}

static sfsistat
on_words(SMFICTX *ctx, char **words)
{
	(void)words;
	return go_on(ctx);
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	(void)name, (void)value;
	return go_on(ctx);
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *bytes, size_t n)
{
	(void)bytes, (void)n;
	return go_on(ctx);
}

static sfsistat
on_accept(SMFICTX *ctx)
{
	(void)ctx;
	return SMFIS_ACCEPT;
}

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1, unsigned long f2,
    unsigned long f3, unsigned long *pf0, unsigned long *pf1,
    unsigned long *pf2, unsigned long *pf3)
{
	(void)ctx, (void)f0, (void)f2, (void)f3;
	*pf1 = f1 &
	    (SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NOMAIL | SMFIP_NORCPT |
		SMFIP_NODATA | SMFIP_NOHDRS | SMFIP_NOBODY | SMFIP_NOUNKNOWN);
	*pf0 = *pf2 = *pf3 = 0;
	return SMFIS_CONTINUE;
}

static char name[] = "noop";

static const struct smfiDesc all = {
	.xxfi_name = name,
	.xxfi_version = SMFI_VERSION,
	.xxfi_connect = on_connect,
	.xxfi_helo = on_text,
	.xxfi_envfrom = on_words,
	.xxfi_envrcpt = on_words,
	.xxfi_header = on_header,
	.xxfi_eoh = go_on,
	.xxfi_body = on_body,
	.xxfi_eom = go_on,
	.xxfi_abort = go_on,
	.xxfi_close = go_on,
	.xxfi_data = go_on,
};

static const struct smfiDesc least = {
	.xxfi_name = name,
	.xxfi_version = SMFI_VERSION,
	.xxfi_eoh = on_accept,
	.xxfi_negotiate = on_negotiate,
};

int
main(int argc, char **argv)
{
	const struct smfiDesc *which = NULL;

	if (argc == 3)
		which = strcmp(argv[2], "all") == 0 ? &all
		    : strcmp(argv[2], "least") == 0 ? &least
						    : NULL;
	if (which == NULL || smfi_setconn(argv[1]) != MI_SUCCESS ||
	    smfi_register(*which) != MI_SUCCESS) {
		fprintf(stderr, "usage: noop_milter SOCKET all|least\n");
		return 64;
	}
	return smfi_main();
}
