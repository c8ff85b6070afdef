#include "tests/lib/gate_doors.h"

#include <stdlib.h>
#include <string.h>

#include "milter/gate_message.h"

enum { NOW = 1000 };

static struct gate_message *message;

static bool
door_mail(void *arg, struct span envid, struct span sender, struct mtrk *mark,
    bool *give)
{
	struct recipient r[] = {
		{ .original = SPAN("o1@x"), .address = SPAN("r1@b") },
		{ .address = SPAN("r2@b") },
		{ .address = SPAN("r3@b") },
	};
	struct message m = { .envid = envid,
		.sender = SPAN("a@x"),
		.queue_id = SPAN("Q1"),
		.arrival = NOW - 100,
		.has_timeout = true,
		.timeout_s = span_is(envid, "late@x") ? 100 : 800,
		.recipients = r,
		.n_recipients = 3 };
	const struct retention keep = { 900000, 900000 };
	const char *why;

	(void)arg;
	if (mtrk_parse(SPAN(GATE_DOORS_CERT), mark, &why) != MTRK_OK)
		abort();
	memcpy(m.certifier, mark->certifier, CERTIFIER_LEN);
	gate_message_begin(message, SPAN(""), sender);
	if (span_is(envid, "q1@x") || span_is(envid, "late@x"))
		gate_message_offer(&m, message);
	*give = gate_message_mark(message, &keep, NOW, mark);
	return gate_message_found(message);
}

static bool
door_rcpt(void *arg, struct span original, struct span address, uint32_t *index)
{
	(void)arg;
	return gate_message_rcpt(message, original, address, index);
}

static void
door_taken(void *arg, uint32_t index, struct span address, bool transferred,
    struct span hop, struct span words)
{
	struct buf *told = arg;

	if (index == OUTBOUND_NOBODY)
		abort();
	buf_fmt(told, "%u %.*s %s %.*s %.*s;", index, (int)address.n, address.p,
	    transferred ? "transferred" : "relayed", (int)hop.n, hop.p,
	    (int)words.n, words.p);
}

static void
door_over(void *arg)
{
	(void)arg;
	if (!gate_message_found(message)) /* told once, of a tracked one */
		abort();
	gate_message_begin(message, SPAN(""), SPAN(""));
}

struct outbound_doors
gate_doors_open(struct buf *told)
{
	message = gate_message_new(false);
	if (message == NULL)
		abort();
	return (struct outbound_doors){ door_mail, door_rcpt, door_taken,
		door_over, told };
}

void
gate_doors_close(void)
{
	gate_message_free(&message);
}
