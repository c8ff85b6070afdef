/*
 * tests/bench/noop-milter.c SOCKET -- the peer: a plain libmilter milter with
 * every callback, which does nothing at all.
 */
#include <libmilter/mfapi.h>
#include <stdio.h>

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

int
main(int argc, char **argv)
{
	static char name[] = "noop";
	struct smfiDesc desc = {
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

	if (argc != 2 || smfi_setconn(argv[1]) != MI_SUCCESS ||
	    smfi_register(desc) != MI_SUCCESS) {
		fprintf(stderr, "usage: noop_milter SOCKET\n");
		return 64;
	}
	return smfi_main();
}
