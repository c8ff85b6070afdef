/* hand STORE ENVID HOST... -- tell the store, as mtrk-gate does, that each
 * recipient of a message was transferred to its HOST, all that are left to the
 * last; "relayed:HOST" for one that doesn't track. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/store.h"

static struct store *store;
static char *const *hosts;
static size_t n_hosts;

static void
told(void *arg, enum mtrk_err err)
{
	*(enum mtrk_err *)arg = err;
}

static bool
hand(const struct message *m, void *arg)
{
	struct event *events = calloc(m->n_recipients, sizeof *events);
	struct message copy = *m;

	if (events == NULL)
		return false;
	for (size_t i = 0; i < m->n_recipients; i++) {
		const char *host = hosts[i < n_hosts ? i : n_hosts - 1];
		bool relayed = strncmp(host, "relayed:", 8) == 0;

		events[i] = (struct event){ .recipient = (uint32_t)i,
			.time = time(NULL),
			.action = relayed ? ACTION_RELAYED : ACTION_TRANSFERRED,
			.status = relayed ? STATUS(2, 1, 9) : STATUS(2, 4, 0),
			.remote_mta = span_of(relayed ? host + 8 : host) };
	}
	if (store_hand(store, &copy, events, m->n_recipients, told, arg) !=
	    MTRK_OK)
		fprintf(stderr, "hand: not taken\n");
	free(events);
	return false;
}

int
main(int argc, char **argv)
{
	char why[STORE_WHY_MAX];
	enum mtrk_err err = MTRK_NOTFOUND;

	if (argc < 4 ||
	    store_open(argv[1], STORE_WRITE, 1u << 28, &store, why) != MTRK_OK)
		return 1;
	hosts = argv + 3;
	n_hosts = (size_t)argc - 3;
	if (store_find(store, span_of(argv[2]), hand, &err) != MTRK_OK)
		fprintf(stderr, "hand: not found\n");
	store_close(&store); /* and told() was called */
	if (err != MTRK_OK)
		fprintf(stderr, "hand: %s\n", mtrk_err_text(err));
	return err == MTRK_OK ? 0 : 1;
}
