#include "mtqp/answer.h"

#include <string.h>

#include "common/conf.h"
#include "common/store.h"

struct search {
	const struct conf *conf;
	int64_t now;
	struct tstat *out;
	enum mtrk_err err;
};

/* T11: the type must not be "dns" when the name isn't fully qualified. */
static const char *
mta_name_type(struct span name)
{
	return memchr(name.p, '.', name.n) != NULL || span_starts(name, "[")
	    ? "dns"
	    : "x-local-hostname";
}

/* T17: no attempt, no remote. */
static bool
fill_remote(struct tstat *t, struct tstat_recipient *r, struct span remote)
{
	if (remote.n == 0)
		return true;
	r->remote_type = mta_name_type(remote);
	r->remote_mta = tstat_text(t, remote);
	return r->remote_mta != NULL;
}

/* A18: without ORCPT the address as received is the original one. */
static bool
fill_recipient(struct tstat *t, struct tstat_recipient *r,
    const struct message *m, uint32_t index, const struct conf *conf)
{
	const struct recipient *from = &m->recipients[index];
	bool orcpt = from->original.n > 0;
	struct disposition d;

	disposition_of(m, index, conf->queue_lifetime_s, &d);
	if (conf->hide_forwarding)
		disposition_hide_forwarding(m, index, &d);
	r->original_type =
	    orcpt ? tstat_text(t, from->original_type) : "rfc822";
	r->original = tstat_text(t, orcpt ? from->original : from->address);
	r->final_type = "rfc822";
	r->final = tstat_text(t, d.final);
	r->action = d.action;
	r->status = d.status;
	r->last_attempt = d.last_attempt;
	r->will_retry_until = d.will_retry_until;
	return r->original_type != NULL && r->original != NULL &&
	    r->final != NULL && fill_remote(t, r, d.remote_mta);
}

static bool
fill_part(struct tstat *t, struct tstat_part *p, const struct message *m,
    const struct conf *conf)
{
	struct span mta = span_of(conf->reporting_mta);

	p->envid = tstat_text(t, m->envid);
	p->reporting_type = mta_name_type(mta);
	p->reporting_mta = conf->reporting_mta;
	p->arrival = m->arrival;
	if (p->envid == NULL)
		return false;
	for (uint32_t i = 0; i < m->n_recipients; i++) {
		struct tstat_recipient *r = tstat_add_recipient(t, p);

		if (r == NULL || !fill_recipient(t, r, m, i, conf))
			return false;
	}
	return true;
}

static bool
take(const struct message *m, void *arg)
{
	struct search *s = arg;
	struct retention r = { s->conf->retention_s,
		s->conf->retention_limit_s };
	bool expired = message_expired(m, &r, s->now);
	struct tstat_part *p;

	if (expired || s->out->n >= TSTAT_PARTS_MAX)
		return true;
	p = tstat_add_part(s->out);
	if (p == NULL || !fill_part(s->out, p, m, s->conf))
		s->err = MTRK_NOMEM;
	return s->err == MTRK_OK;
}

enum mtrk_err
answer_track(struct store *st, const struct conf *conf, struct span envid,
    const unsigned char certifier[CERTIFIER_LEN], int64_t now,
    struct tstat *out)
{
	struct search s = { conf, now, out, MTRK_OK };
	enum mtrk_err err;

	*out = (struct tstat){ 0 };
	err = store_find_by(st, envid, certifier, take, &s);
	if (err == MTRK_OK)
		err = s.err;
	if (err == MTRK_OK && out->n == 0)
		err = MTRK_NOTFOUND;
	if (err != MTRK_OK)
		tstat_free(out);
	return err;
}
