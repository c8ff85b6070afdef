/*
 * mtqp/wallet.h -- what was sent and how to ask for it, on the sender's own
 * disk: $XDG_DATA_HOME/mtrk/sent.json, mode 0600, a JSON object a line.
 */
#ifndef MTRK_MTQP_WALLET_H
#define MTRK_MTQP_WALLET_H

#include <jansson.h>

#include "common/uri.h"
#include "mtqp/datafile.h"

enum { WALLET_WHY_MAX = DATAFILE_WHY_MAX };

struct wallet_entry {
	int64_t time;
	struct mtqp_uri uri; /* the secret is in it */
	char *const *recipients;
	size_t n_recipients;
	const char *subject; /* may be "" */
	const char *message_id; /* with its brackets; "" if it had none */
};

/*
 * Add an entry, unsent, before its message is sent; *number is its own from
 * now on.  Durable and alone (flock) when it returns MTRK_OK.
 */
enum mtrk_err wallet_add(
    const struct wallet_entry *, uint64_t *number, char *why);
/* state: "sent", "untracked", "failed" or "unsure" */
enum mtrk_err wallet_set_state(uint64_t number, const char *state, char *why);
/* MTRK_NOTFOUND: no such number. */
enum mtrk_err wallet_find(uint64_t number, struct mtqp_uri *, char *why);
/* The newest message with this Message-ID. */
enum mtrk_err wallet_find_message(
    struct span message_id, struct mtqp_uri *, char *why);
/* Forget, secrets too, each entry for which `goes` says so; *n counts. */
enum mtrk_err wallet_forget(bool (*goes)(const json_t *entry, void *arg),
    void *arg, size_t *n, char *why);
uint64_t wallet_number(const json_t *entry);
/* All entries, an array for the caller to json_decref(); empty if there is
 * no file yet.  Secrets are in it as "secret". */
enum mtrk_err wallet_all(json_t **out, char *why);

#endif
