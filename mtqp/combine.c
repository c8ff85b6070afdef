#include "mtqp/combine.h"

#include <string.h>
#include <strings.h>

#include "common/net.h"
#include "common/peer.h"

bool
combine_may_ask(
    const struct conf_list *allowed, const char *host, const char *address)
{
	struct net_range range;
	struct net_ip ip;
	bool numeric = net_ip_parse(span_of(address), &ip);

	for (size_t i = 0; i < allowed->n; i++) {
		struct span a = span_of(allowed->text[i]);

		if (net_range_parse(a, &range)
			? numeric && net_range_has(&range, &ip)
			: peer_in_domain(span_of(host), a))
			return true;
	}
	return false;
}

/* Before its address is known. */
static bool
may_be_allowed(const struct conf_list *allowed, const char *host)
{
	struct net_range range;

	if (combine_may_ask(allowed, host, host))
		return true;
	for (size_t i = 0; i < allowed->n; i++)
		if (net_range_parse(span_of(allowed->text[i]), &range))
			return true;
	return false;
}

static bool
is_among(const char *const *hosts, size_t n, const char *host)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(hosts[i], host) == 0)
			return true;
	return false;
}

static const char *
goes_to(const struct tstat_recipient *r)
{
	return r->action == ACTION_TRANSFERRED ? r->remote_mta : NULL;
}

size_t
combine_hosts(const struct tstat *known, const struct conf_list *allowed,
    const char *self, const char *hosts[COMBINE_HOSTS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < known->n; i++)
		for (size_t k = 0; k < known->parts[i].n; k++) {
			const char *host =
			    goes_to(&known->parts[i].recipients[k]);

			if (host != NULL && n < COMBINE_HOSTS_MAX &&
			    strcasecmp(host, self) != 0 &&
			    !is_among(hosts, n, host) &&
			    may_be_allowed(allowed, host))
				hosts[n++] = host;
		}
	return n;
}

enum mtrk_err
combine_parts(struct tstat *known, struct tstat *from)
{
	arena_join(&known->arena, &from->arena);
	for (size_t i = 0; i < from->n && known->n < TSTAT_PARTS_MAX; i++) {
		struct tstat_part *p;

		/* what the generator would refuse isn't ours to say, and
		 * must not take the rest with it */
		tstat_drop_unsound(&from->parts[i]);
		if (from->parts[i].n == 0)
			continue;
		if ((p = tstat_add_part(known)) == NULL)
			return MTRK_NOMEM;
		*p = from->parts[i];
	}
	*from = (struct tstat){ 0 };
	return MTRK_OK;
}

static const struct tstat_recipient *
find_original(const struct tstat *from, const char *original)
{
	const struct tstat_recipient *found = NULL;

	for (size_t i = 0; i < from->n; i++)
		for (size_t k = 0; k < from->parts[i].n; k++) {
			const struct tstat_recipient *r =
			    &from->parts[i].recipients[k];

			/* further parts are further hops: the last one knows */
			if (r->original != NULL &&
			    strcmp(r->original, original) == 0)
				found = r;
		}
	return found;
}

/* A copy in `t`, if there is something; false: no memory. */
static bool
copy_text(struct tstat *t, const char **to, const char *from)
{
	*to = from != NULL ? tstat_text(t, span_of(from)) : NULL;
	return *to != NULL || from == NULL;
}

static enum mtrk_err
take_over(struct tstat *t, struct tstat_recipient *ours,
    const struct tstat_recipient *theirs)
{
	bool ok = copy_text(t, &ours->remote_type, theirs->remote_type);

	ok &= copy_text(t, &ours->remote_mta, theirs->remote_mta);
	ours->action = theirs->action;
	ours->status = theirs->status;
	ours->last_attempt = theirs->last_attempt;
	ours->will_retry_until = theirs->will_retry_until;
	return ok ? MTRK_OK : MTRK_NOMEM;
}

/* A state that says more than "transferred", and that can be told as ours. */
static bool
is_worth_it(const struct tstat_part *part, const struct tstat_recipient *ours,
    const struct tstat_recipient *theirs)
{
	struct tstat_recipient told = *theirs;

	told.original_type = ours->original_type;
	told.original = ours->original;
	told.final_type = ours->final_type;
	told.final = ours->final;
	return theirs->action != ACTION_OPAQUE && tstat_is_sound(part, &told);
}

enum mtrk_err
combine_fold(struct tstat *known, const char *host, const struct tstat *from)
{
	enum mtrk_err err = MTRK_OK;

	for (size_t i = 0; i < known->n; i++)
		for (size_t k = 0; k < known->parts[i].n; k++) {
			struct tstat_recipient *r =
			    &known->parts[i].recipients[k];
			const struct tstat_recipient *theirs;

			if (goes_to(r) == NULL ||
			    strcasecmp(r->remote_mta, host) != 0 ||
			    r->original == NULL)
				continue;
			theirs = find_original(from, r->original);
			if (theirs != NULL &&
			    is_worth_it(&known->parts[i], r, theirs) &&
			    take_over(known, r, theirs) != MTRK_OK)
				err = MTRK_NOMEM;
		}
	return err;
}

void
combine_disguise(struct tstat *t)
{
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < t->parts[i].n; k++) {
			struct tstat_recipient *r = &t->parts[i].recipients[k];

			r->remote_mta = r->remote_type = NULL;
			r->final = r->original;
			r->final_type = r->original_type;
			if (r->action != ACTION_TRANSFERRED)
				continue;
			r->action = ACTION_RELAYED;
			r->status = STATUS(2, 1, 9); /* T22 */
		}
}
