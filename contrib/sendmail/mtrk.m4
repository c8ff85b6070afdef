divert(-1)dnl
dnl
dnl mtrk.m4 -- Sendmail hands all outgoing mail to mtrk-gate, which finds the
dnl next hop by its MX, gives MTRK= on where that hop lists it (RFC 3885), and
dnl records "transferred" or "relayed" for each tracked recipient.
dnl
dnl Copy it to cf/feature/ (Debian: /usr/share/sendmail/cf/feature/), then in
dnl the .mc, before MAILER():
dnl
dnl	FEATURE(`mtrk')				/usr/sbin/mtrk-gate, as mtrk:mtrk
dnl	FEATURE(`mtrk', `/path/mtrk-gate')	another path
dnl	FEATURE(`mtrk', `/path/mtrk-gate', `user:group')
dnl	FEATURE(`mtrk', `/path/mtrk-gate', `user:group', `-c /path/mtrk.conf')
dnl
dnl The user must be able to write mtrk.conf's Store.  F=S makes it that user
dnl for mail of the machine's own people, too, as whom Sendmail would start the
dnl mailer otherwise.  With SMART_HOST name the mailer: define(`SMART_HOST',
dnl `mtrk:[smtp.example.org]').  It stands in for esmtp; a mailertable's own
dnl mailers stay what they are.  A Local_trust_auth of your own goes behind it.
dnl
divert(0)
VERSIONID(`mtrk.m4: outgoing mail through mtrk-gate')
divert(-1)
define(`_MTRK_GATE_', ifelse(len(X`'_ARG_), `1', `/usr/sbin/mtrk-gate', `_ARG_'))
define(`_MTRK_USER_', ifelse(len(X`'_ARG2_), `1', `mtrk:mtrk', `_ARG2_'))
define(`confSMTP_MAILER', `mtrk')
MAILER_DEFINITIONS
######################################
###   mtrk-gate as an SMTP client  ###
######################################
Mmtrk,	P=_MTRK_GATE_, F=mDFMuXaS8, S=EnvFromSMTP/HdrFromSMTP, R=ifdef(`_ALL_MASQUERADE_', `EnvToSMTP/HdrFromSMTP', `EnvToSMTP'), E=\r\n, L=2040,
	T=DNS/RFC822/SMTP, U=_MTRK_USER_,
	A=mtrk-gate ifelse(len(X`'_ARG3_), `1', `', `_ARG3_ ')--pipe $h $i
LOCAL_RULESETS
# A mark that came in AUTH= is no name to act as: no next hop hears of it.
SLocal_trust_auth
RMTRK+$*		$#error $@ 5.7.1 $: "550 a mark"
divert(0)
