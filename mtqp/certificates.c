#include "mtqp/certificates.h"

#include <stdio.h>

#include "common/crypto.h"

struct names {
	const char *path[2 * (CONF_LIST_MAX + 1)]; /* certificate, key, ... */
	size_t n;
	char also[CONF_LIST_MAX][2][CONF_LIST_TEXT];
};

static void
names_of(const struct conf *c, struct names *names)
{
	names->n = 0;
	if (c->tls_certificate[0] == '\0')
		return;
	names->path[names->n++] = c->tls_certificate;
	names->path[names->n++] = c->tls_key;
	for (size_t i = 0; i < c->tls_also.n; i++) {
		conf_parse_pair(span_of(c->tls_also.text[i]), names->also[i][0],
		    names->also[i][1]);
		names->path[names->n++] = names->also[i][0];
		names->path[names->n++] = names->also[i][1];
	}
}

enum mtrk_err
certificates_keeper(const struct conf *c, struct keeper **out)
{
	struct names names;

	*out = NULL;
	names_of(c, &names);
	return names.n == 0 ? MTRK_OK : keeper_start(names.path, names.n, out);
}

static enum mtrk_err
read_file(struct keeper *k, const struct names *names, size_t i,
    struct buf *out, char *why)
{
	enum mtrk_err err = keeper_read(k, i, out);

	if (err == MTRK_IO)
		snprintf(why, CERTIFICATES_WHY_MAX, "%s: %m", names->path[i]);
	else if (err != MTRK_OK)
		snprintf(why, CERTIFICATES_WHY_MAX, "%s: %s", names->path[i],
		    mtrk_err_text(err));
	return err;
}

static enum mtrk_err
load_pair(struct keeper *k, const struct names *names, size_t i,
    struct tls_ctx *tls, char *why)
{
	struct buf cert = BUF(KEEPER_FILE_MAX), key = BUF(KEEPER_FILE_MAX);
	struct tls_pem pem;
	enum mtrk_err err = read_file(k, names, i, &cert, why);

	if (err == MTRK_OK)
		err = read_file(k, names, i + 1, &key, why);
	pem = (struct tls_pem){ names->path[i], names->path[i + 1],
		buf_as_span(&cert), buf_as_span(&key) };
	if (err == MTRK_OK)
		err = tls_server_add_pem(tls, &pem, why, CERTIFICATES_WHY_MAX);
	if (key.n > 0)
		crypto_wipe(key.p, key.n);
	buf_free(&cert);
	buf_free(&key);
	return err;
}

enum mtrk_err
certificates_load(
    const struct conf *c, struct keeper *k, struct tls_ctx **out, char *why)
{
	struct names names;
	enum mtrk_err err = tls_ctx_new(out);

	names_of(c, &names);
	if (err != MTRK_OK)
		snprintf(why, CERTIFICATES_WHY_MAX, "out of memory");
	for (size_t i = 0; i < names.n && err == MTRK_OK; i += 2)
		err = load_pair(k, &names, i, *out, why);
	if (err != MTRK_OK)
		tls_ctx_free(out);
	return err;
}
