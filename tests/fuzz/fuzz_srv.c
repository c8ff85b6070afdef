/* SRV records in any number and weight: the order keeps every target, by
 * priority; the addresses behind them are public or not without a crash. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mtqp/discover.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static uint32_t
dice(void *arg, uint32_t most)
{
	uint32_t *seed = arg;

	*seed = *seed * 1103515245 + 12345;
	return most == UINT32_MAX ? *seed : *seed % (most + 1);
}

/* Eight octets a record: priority, weight, port, name. */
static size_t
read_records(const uint8_t *data, size_t n, struct dns_host *out)
{
	size_t k = 0;

	for (; n >= 8 && k < DNS_RECORDS_MAX; n -= 8, data += 8, k++) {
		out[k] = (struct dns_host){ 0 };
		memcpy(&out[k].priority, data, 2);
		memcpy(&out[k].weight, data + 2, 2);
		memcpy(&out[k].port, data + 4, 2);
		out[k].name[0] = (char)data[6];
		out[k].name[1] = (char)data[7];
	}
	return k;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct dns_host h[DNS_RECORDS_MAX];
	char text[64] = "";
	uint32_t seed = (uint32_t)n;
	size_t records = read_records(data, n, h), named = 0;

	for (size_t i = 0; i < records; i++)
		named += h[i].name[0] != '\0';
	if (discover_order(h, &records, dice, &seed) !=
		(named > 0 ? MTRK_OK : MTRK_DENIED) ||
	    records != named)
		abort();
	for (size_t i = 1; i < records; i++)
		if (h[i - 1].priority > h[i].priority)
			abort();
	memcpy(text, data, n < sizeof text ? n : sizeof text - 1);
	(void)discover_is_private(text);
	(void)discover_is_fqdn(text);
	return 0;
}
