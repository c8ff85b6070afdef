#include "tests/lib/sample.h"

#include <stdio.h>
#include <string.h>

/* As mtrk-track makes them: a stamp, then what nobody can guess. */
void
sample_envid(char out[SAMPLE_ENVID], unsigned long n)
{
	snprintf(out, SAMPLE_ENVID, "%09lu%016lx@h.test", n,
	    n * 0x9e3779b97f4a7c15ul);
}

void
sample_message(struct sample *s, unsigned long n)
{
	memset(s, 0, sizeof *s);
	sample_envid(s->envid, n);
	snprintf(s->queue_id, sizeof s->queue_id, "Q%09lu", n);
	snprintf(s->rcpt, sizeof s->rcpt, "r%lu@x.test", n);
	s->recipient = (struct recipient){
		.original_type = SPAN("rfc822"),
		.original = span_of(s->rcpt),
		.address = span_of(s->rcpt),
	};
	s->m = (struct message){
		.envid = span_of(s->envid),
		.arrival = SAMPLE_ARRIVAL,
		.instance = SPAN("default"),
		.queue_id = span_of(s->queue_id),
		.sender = SPAN("sender@h.test"),
		.client = SPAN("192.0.2.1"),
		.recipients = &s->recipient,
		.n_recipients = 1,
	};
	memcpy(s->m.certifier, s->envid, CERTIFIER_LEN);
}

struct happening_line
sample_line(
    const struct sample *s, enum action action, int64_t time, const char *text)
{
	bool end = action_is_end(action);

	return (struct happening_line){
		.what = HAPPENED_ACTION,
		.instance = SPAN("default"),
		.queue_id = span_of(s->queue_id),
		.time = time,
		.address = span_of(s->rcpt),
		.action = action,
		.status = end ? STATUS(2, 0, 0) : STATUS(4, 4, 1),
		.remote_mta = SPAN("mx.x.test"),
		.text = span_of(text),
	};
}
