#include "tests/lib/nameserver.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/cm.h"

static void
copy(void *arg, const struct dns_answer *a)
{
	*(struct dns_answer *)arg = *a;
}

enum mtrk_err
ask_dns(struct dns *dns, enum dns_type type, const char *name,
    unsigned timeout_ms, struct dns_answer *out)
{
	dns_ask(dns, type, name, copy, out);
	dns_wait(dns, timeout_ms);
	return out->err;
}

/* No server until it listens. */
static void
wait_ready(const struct nameserver *s)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	struct dns_answer a = { .err = MTRK_BUSY };
	struct dns *dns;

	assert_int_equal(dns_open(s->address, &dns), MTRK_OK);
	for (int i = 0; i < 500 && a.err == MTRK_BUSY; i++) {
		ask_dns(dns, DNS_ADDRESS, "ready.invalid", 1000, &a);
		if (a.err == MTRK_BUSY)
			nanosleep(&pause, NULL);
	}
	dns_close(&dns);
	assert_int_equal(a.err, MTRK_OK);
}

void
nameserver_start(struct nameserver *s, const char *const *options)
{
	enum { OWN = 9 };
	const char *argv[64] = { "dnsmasq", "--keep-in-foreground",
		"--conf-file=/dev/null", "--no-resolv", "--no-hosts",
		"--pid-file=", "--listen-address=127.0.0.1",
		"--bind-interfaces" };
	unsigned port = scratch_port();
	char port_option[32];
	size_t n = OWN;

	snprintf(port_option, sizeof port_option, "--port=%u", port);
	snprintf(s->address, sizeof s->address, "127.0.0.1:%u", port);
	argv[OWN - 1] = port_option;
	while (*options != NULL && n < ARRAY_LEN(argv) - 2)
		argv[n++] = *options++;
	assert_null(*options);
	argv[n] = "--host-record=ready.invalid,192.0.2.1";
	s->pid = fork();
	assert_int_not_equal(s->pid, -1);
	if (s->pid == 0) {
		execvp("dnsmasq", (char *const *)(const void *)argv);
		execv("/usr/sbin/dnsmasq", (char *const *)(const void *)argv);
		_exit(127);
	}
	wait_ready(s);
}

void
nameserver_stop(struct nameserver *s)
{
	kill(s->pid, SIGTERM);
	waitpid(s->pid, NULL, 0);
}
