#include "common/mtrk.h"

#include <stdio.h>
#include <string.h>

#include "common/address_utf8.h"
#include "common/crypto.h"
#include "common/encode.h"

static enum mtrk_err
refuse(const char **why, const char *text)
{
	*why = text;
	return MTRK_SYNTAX;
}

/*
 * mtrk-parameter = "MTRK=" mtrk-certifier [ ":" mtrk-timeout ]	; RFC 3885 3.1
 * mtrk-timeout   = 1*9DIGIT
 */
enum mtrk_err
mtrk_parse(struct span value, struct mtrk *out, const char **why)
{
	struct span certifier, timeout;
	uint64_t seconds = 0;
	size_t n;

	*out = (struct mtrk){ 0 };
	out->has_timeout = span_split(value, ':', &certifier, &timeout);
	if (base64_decode(certifier, out->certifier, CERTIFIER_LEN, &n) !=
		MTRK_OK ||
	    n != CERTIFIER_LEN)
		return refuse(why, "certifier is not base64 of 20 octets");
	if (out->has_timeout &&
	    (timeout.n > 9 ||
		!span_number(timeout, MTRK_TIMEOUT_MAX, &seconds)))
		return refuse(why, "timeout is not 1 to 9 digits");
	out->timeout_s = (uint32_t)seconds;
	return MTRK_OK;
}

void
mtrk_format(const struct mtrk *m, char out[MTRK_TEXT])
{
	char certifier[4 * ((CERTIFIER_LEN + 2) / 3) + 1];

	base64_encode(m->certifier, CERTIFIER_LEN, BASE64_UNPADDED, certifier,
	    sizeof certifier);
	if (m->has_timeout)
		snprintf(out, MTRK_TEXT, "%.27s:%u", certifier,
		    m->timeout_s % (MTRK_TIMEOUT_MAX + 1u));
	else
		snprintf(out, MTRK_TEXT, "%.27s", certifier);
}

static bool
printable(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] < ' ' || p[i] > '~')
			return false;
	return true;
}

/*
 * unique-envid = local-envid "@" fqhn	; RFC 3885 3.2, both xtext
 * "@" is an xchar too, so the split isn't unique: one with text on both
 * sides is enough (A12).
 */
enum mtrk_err
envid_parse(struct span wire, char out[ENVID_MAX + 1], const char **why)
{
	enum mtrk_err err;
	size_t n;
	const char *at;

	out[0] = '\0';
	if (wire.n > ENVID_MAX) {
		*why = "ENVID is longer than 100";
		return MTRK_TOOBIG;
	}
	err = xtext_decode(wire, out, ENVID_MAX, &n);
	out[err == MTRK_OK ? n : 0] = '\0';
	if (err != MTRK_OK || !printable(out, n))
		return refuse(why, "ENVID is not xtext of printable ASCII");
	at = n > 2 ? memchr(out + 1, '@', n - 2) : NULL;
	if (at == NULL)
		return refuse(why, "ENVID is not local-envid@host");
	return MTRK_OK;
}

static bool
is_atom(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' ||
		    strchr("()<>@,;:\\\".[]", s.p[i]) != NULL)
			return false;
	return s.n > 0;
}

/* RFC 6533 3: with SMTPUTF8 an address of this type need not be ASCII. */
static enum mtrk_err
take_utf8(struct span address, char out[ORCPT_MAX + 1])
{
	for (size_t i = 0; i < address.n; i++)
		if ((address.p[i] >= 0 && address.p[i] <= ' ') ||
		    address.p[i] == '\x7f')
			return MTRK_SYNTAX;
	return span_copy(out, ORCPT_MAX + 1, address) ? MTRK_OK : MTRK_TOOBIG;
}

/* original-recipient-address = addr-type ";" xtext	; RFC 3461 4.2 */
enum mtrk_err
orcpt_parse(struct span wire, struct orcpt *out)
{
	struct span type, address;
	enum mtrk_err err;
	size_t n;

	*out = (struct orcpt){ 0 };
	if (wire.n > ORCPT_MAX)
		return MTRK_TOOBIG;
	if (!span_split(wire, ';', &type, &address) || !is_atom(type))
		return MTRK_SYNTAX;
	if (!span_copy(out->type, sizeof out->type, type))
		return MTRK_TOOBIG;
	if (span_iis(type, ADDRESS_UTF8) && !address_is_ascii(address))
		return take_utf8(address, out->addr);
	err = xtext_decode(address, out->addr, ORCPT_MAX, &n);
	if (err == MTRK_OK && !printable(out->addr, n))
		err = MTRK_SYNTAX;
	out->addr[err == MTRK_OK ? n : 0] = '\0';
	return err;
}

enum mtrk_err
fqhn_hash(struct span fqhn, char out[CERTIFIER_TEXT + 1])
{
	unsigned char hash[CERTIFIER_LEN];
	char lower[FQHN_MAX], text[4 * ((CERTIFIER_LEN + 2) / 3) + 1];
	enum mtrk_err err;

	out[0] = '\0';
	if (fqhn.n > FQHN_MAX)
		return MTRK_TOOBIG;
	for (size_t i = 0; i < fqhn.n; i++)
		lower[i] = fqhn.p[i] >= 'A' && fqhn.p[i] <= 'Z'
		    ? (char)(fqhn.p[i] - 'A' + 'a')
		    : fqhn.p[i];
	err = crypto_sha1(lower, fqhn.n, hash);
	if (err == MTRK_OK)
		err = base64_encode(
		    hash, sizeof hash, BASE64_UNPADDED, text, sizeof text);
	if (err == MTRK_OK)
		memcpy(out, text, CERTIFIER_TEXT + 1);
	return err;
}
