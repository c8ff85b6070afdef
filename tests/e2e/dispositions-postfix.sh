#!/bin/bash
# Every outcome that Postfix knows, by a real one: what mtrk-dump and MTQP say.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/outcomes.sh"
lab_start
read -r again_port refuser_port <<<"$(lab_ports 2)"
lab_conf "TrackingPeer localhost" "TrackingPeer 192.0.2.0/24" "ContentFilter simple"
lab_start_sink
lab_serve refuser "$refuser_port" python3 "$lab_root/tests/lab/refuser.py" "$refuser_port"
lab_start_milter
cat >"$lab/aliases" <<EOF
one: friend@far.test
three: friend@far.test, other@far.test, games@lab.test
mlist: friend@far.test
owner-mlist: games@lab.test
command: "|cat >/dev/null"
broken: "|exit 1"
loose: games@lab.test
EOF
i=$lab/postfix/etc
lab_make_postfix \
    "alias_maps = texthash:$i/aliases" \
    "virtual_alias_domains = va.test" \
    "virtual_alias_maps = inline:{ {one@va.test=friend@far.test} {two@va.test=friend@far.test, games@lab.test} }" \
    "virtual_mailbox_domains = vm.test" \
    "virtual_mailbox_maps = inline:{joe@vm.test=joe/}" \
    "virtual_mailbox_base = $lab/postfix/mail" \
    "virtual_uid_maps = static:$(id -u games)" "virtual_gid_maps = static:$(id -g games)" \
    "virtual_minimum_uid = 1" \
    "transport_maps = inline:{ {far.test=smtp:[127.0.0.1]:$sink_port} {peer.test=smtp:[localhost]:$sink_port} {box.test=lmtp:inet:127.0.0.1:$sink_port} {pipe.test=tpipe:} {drop.test=discard:silently} {err.test=smtp:[no.such.invalid]} {dead.test=smtp:[127.0.0.1]:1} }" \
    "smtpd_sender_restrictions = check_sender_access inline:{ {filter@h.test=FILTER smtp:[127.0.0.1]:$again_port} {pipe@h.test=FILTER simple:} {hold@h.test=HOLD} {drop@h.test=DISCARD} }" \
    "smtp_delivery_status_filter = pcre:{ {/^5(\.\d+\.\d+ .*soft refusal.*)/ 4\$\$1} }" \
    "smtpd_milters = inet:127.0.0.1:$milter_port, inet:127.0.0.1:$refuser_port" \
    "smtpd_recipient_restrictions = permit_mynetworks, reject" \
    "queue_run_delay = 1h" "minimal_backoff_time = 1h" "maximal_backoff_time = 1h"
sed 's/: /	/' "$lab/aliases" >"$i/aliases"
sed -i 's/^pickup .*/pickup unix n - n 1 1 pickup/' "$i/master.cf" # woken every second
sed -i '0,/^alias_maps =$/{/^alias_maps =$/d}' "$i/main.cf"
cp "$lab_root/tests/lab/filter.py" "$lab/"
cat >>"$i/master.cf" <<EOF
127.0.0.1:$again_port inet n - n - - smtpd -o syslog_name=postfix-again -o smtpd_milters= -o smtpd_sender_restrictions= -o receive_override_options=no_address_mappings
tpipe unix - n n - - pipe flags=R user=games argv=/bin/cat
simple unix - n n - - pipe flags=Rq user=games argv=/usr/bin/python3 $lab/filter.py $again_port \${sender} \${recipient}
EOF
lab_boot_postfix
lab_start_collect
lab_start_mtqpd

log=$lab/postfix/log/maillog
mark() { mark_at "$smtp_port" "$@"; }
last_qid() { # of the newest line that matches
	sed -n "s/.*\]: \([0-9A-Za-z]*\): .*$1.*/\1/p" "$log" | tail -1
}

# 1. how it is delivered, relayed, transferred
mark ways@h.test a@h.test friend@far.test games@lab.test joe@vm.test p@pipe.test \
    d@drop.test command@lab.test friend@peer.test '"a..b"@far.test'
want ways@h.test \
    'friend@far.test friend@far.test relayed 2.1.9 [127.0.0.1]' \
    'games@lab.test games@lab.test delivered 2.0.0 -' \
    'joe@vm.test joe@vm.test delivered 2.0.0 -' \
    'p@pipe.test p@pipe.test delivered 2.0.0 -' \
    'd@drop.test d@drop.test delivered 2.0.0 -' \
    'command@lab.test command@lab.test delivered 2.0.0 -' \
    'friend@peer.test friend@peer.test transferred 2.0.0 localhost' \
    '"a..b"@far.test "a..b"@far.test relayed 2.1.9 [127.0.0.1]'

# 2. aliases: to one it is the same recipient (S29), to several expanded (S30),
# a list with an owner expanded however many are on it (S31, T25)
mark alias@h.test a@h.test one@va.test two@va.test one@lab.test three@lab.test \
    mlist@lab.test loose@lab.test
want alias@h.test \
    'one@va.test friend@far.test relayed 2.1.9 [127.0.0.1]' \
    'two@va.test two@va.test expanded 2.0.0 -' \
    'one@lab.test friend@far.test relayed 2.1.9 [127.0.0.1]' \
    'three@lab.test three@lab.test expanded 2.0.0 -' \
    'mlist@lab.test mlist@lab.test expanded 2.0.0 -' \
    'loose@lab.test games@lab.test delivered 2.0.0 -'

# 3. failures, before and after DATA, here and there
mark fail@h.test a@h.test bounce@far.test soft@far.test nosuch@lab.test \
    broken@lab.test x@err.test x@dead.test
want fail@h.test \
    'bounce@far.test bounce@far.test failed 5.1.1 [127.0.0.1]' \
    'soft@far.test soft@far.test delayed 4.1.1 [127.0.0.1]' \
    'nosuch@lab.test nosuch@lab.test failed 5.1.1 -' \
    'broken@lab.test broken@lab.test failed 5.3.0 -' \
    'x@err.test x@err.test failed 5.4.4 -' \
    'x@dead.test x@dead.test delayed 4.4.1 -'
# LMTP is the end of the way: delivered, and after DATA each has its own reply
mark lmtp@h.test a@h.test friend@box.test bounce@box.test defer@box.test \
    late@box.test full@box.test
want lmtp@h.test \
    'friend@box.test friend@box.test delivered 2.0.0 [127.0.0.1]' \
    'bounce@box.test bounce@box.test failed 5.1.1 [127.0.0.1]' \
    'defer@box.test defer@box.test delayed 4.7.1 [127.0.0.1]' \
    'late@box.test late@box.test failed 5.6.0 [127.0.0.1]' \
    'full@box.test full@box.test delayed 4.2.2 [127.0.0.1]'
mark late@h.test a@h.test late@far.test
want late@h.test 'late@far.test late@far.test failed 5.6.0 [127.0.0.1]'
mark refused@h.test refuse@h.test friend@far.test
want refused@h.test 'friend@far.test friend@far.test failed 5.7.1 -'
# one of them, by a milter behind ours; the first ones before there is a queue id
mark refuse@h.test a@h.test refuse1@far.test friend@far.test refuse2@far.test
want refuse@h.test 'refuse1@far.test refuse1@far.test opaque 2.0.0 -' \
    'friend@far.test friend@far.test relayed 2.1.9 [127.0.0.1]' \
    'refuse2@far.test refuse2@far.test failed 5.7.1 -'
mark drop@h.test drop@h.test friend@far.test
[ -z "$(rows drop@h.test)" ] || lab_fail "a record of what the MTA dropped unseen"

# 4. a content filter hands it back: the story goes on under the new id, where
# nothing tells any more of the aliases that led to friend and games
mark filter@h.test filter@h.test other@far.test defer1@far.test one@va.test two@va.test
want filter@h.test \
    'other@far.test other@far.test relayed 2.1.9 [127.0.0.1]' \
    'defer1@far.test defer1@far.test delayed 4.7.1 [127.0.0.1]' \
    'one@va.test friend@far.test relayed 2.1.9 [127.0.0.1]' \
    'two@va.test two@va.test expanded 2.0.0 -'
lab_dump --json --envid filter@h.test | jq -e '.recipients[0].events |
    length == 2 and (.[0].text | contains("queued as")) and .[1].queue_id == .[0].queue_id' \
    >/dev/null || lab_fail "filter: $(lab_dump --json --envid filter@h.test)"
# one by pipe(8) as well, but under no id that the log tells
mark simple@h.test pipe@h.test friend@far.test
want simple@h.test 'friend@far.test friend@far.test relayed 2.1.9 -'
lab_wait 20 logged "postfix-again/smtpd.*client=" && logged "$qid: .*(delivered via simple service)" ||
    lab_fail "it was not filtered"

# 5. held, released; tried several times; expired, by time and by hand; deleted;
# requeued under a new id
mark hold@h.test hold@h.test friend@far.test
want hold@h.test 'friend@far.test friend@far.test delayed 4.0.0 -'
lab_pf postsuper -H "$qid" 2>/dev/null; lab_pf postqueue -i "$qid"
want hold@h.test 'friend@far.test friend@far.test relayed 2.1.9 [127.0.0.1]'
lab_dump --json --envid hold@h.test | jq -e '.recipients[0].events[0].text ==
    "released from hold"' >/dev/null || lab_fail "hold: $(lab_dump --json --envid hold@h.test)"

mark again@h.test a@h.test defer2@far.test; again=$qid
mark force@h.test a@h.test defer3@far.test friend@far.test; force=$qid
mark delete@h.test a@h.test defer4@far.test friend@far.test; delete=$qid
mark requeue@h.test a@h.test defer5@far.test friend@far.test; requeue=$qid
# logged is not yet moved, and who has tried may have it locked a moment longer:
# then the queue manager would look again a minute later
put_off() {
	local file
	file=$(compgen -G "$lab/postfix/queue/deferred/*/$1") && flock -n 8 8<"$file"
}
for qid in "$again" "$force" "$delete" "$requeue"; do
	lab_wait 20 put_off "$qid" || lab_fail "$qid is not deferred"
done
lab_pf postqueue -i "$again"
twice() { [ "$(lab_dump --json --envid again@h.test | jq '.recipients[0].events | length')" = 2 ]; }
lab_wait 20 twice || lab_fail "two tries: $(lab_dump --envid again@h.test)"
lab_pf postsuper -f "$force" 2>/dev/null
lab_pf postqueue -i "$force" || true
want force@h.test 'defer3@far.test defer3@far.test failed 4.4.7 [127.0.0.1]' \
    'friend@far.test friend@far.test relayed 2.1.9 [127.0.0.1]'
lab_pf postsuper -d "$delete" 2>/dev/null
want delete@h.test 'defer4@far.test defer4@far.test failed 5.0.0 [127.0.0.1]' \
    'friend@far.test friend@far.test relayed 2.1.9 [127.0.0.1]'
lab_pf postsuper -r "$requeue" 2>/dev/null
lab_wait 20 logged "orig_id=$requeue" || lab_fail "not requeued"
requeue=$(last_qid "orig_id=$requeue")
lab_wait 20 logged "$requeue: to=<defer5@far.test>.*status=deferred" || lab_fail "no try"
lab_wait 20 put_off "$requeue" || lab_fail "$requeue is not deferred"
want requeue@h.test 'defer5@far.test defer5@far.test delayed 4.7.1 [127.0.0.1]' \
    'friend@far.test friend@far.test relayed 2.1.9 [127.0.0.1]'
lab_pf postsuper -d "$requeue" 2>/dev/null
want requeue@h.test 'defer5@far.test defer5@far.test failed 5.0.0 [127.0.0.1]' \
    'friend@far.test friend@far.test relayed 2.1.9 [127.0.0.1]'

# 6. long queue ids, addresses in the log as they are inside, UTF-8; expiry
lab_restart_postfix enable_long_queue_ids=yes info_log_address_format=internal \
    maximal_queue_lifetime=1s bounce_queue_lifetime=1s smtputf8_enable=yes
mark long@h.test a@h.test '"a..b"@lab.test' friend@far.test 'gämes@lab.test'
[[ $qid = *z* ]] || lab_fail "not a long queue id: $qid"
want long@h.test '"a..b"@lab.test "a..b"@lab.test failed 5.1.1 -' \
    'friend@far.test friend@far.test relayed 2.1.9 [127.0.0.1]' \
    'gämes@lab.test gämes@lab.test failed 5.1.1 -'
lab_pf postqueue -i "$again"
want again@h.test 'defer2@far.test defer2@far.test failed 4.4.7 [127.0.0.1]'

# 7. nothing was left over: neither lines that we don't know nor recipients
want_nothing_left

echo "dispositions by postfix: ok"
