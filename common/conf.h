/*
 * common/conf.h -- mtrk.conf, one file for all programs: "Name value" lines,
 * "#" comments, names in any case.  mtrk.conf(5) tells what they mean.
 */
#ifndef MTRK_COMMON_CONF_H
#define MTRK_COMMON_CONF_H

#include <stdio.h>

#include "common/err.h"
#include "common/peer.h"
#include "common/span.h"

#define CONF_DEFAULT_PATH "/etc/mtrk/mtrk.conf"

enum {
	CONF_TEXT_MAX = 1024, /* a value; ours */
	CONF_LISTEN_MAX = 16, /* Listen lines; ours */
	CONF_INSTANCE_MAX = 32, /* Instance lines; ours */
	CONF_GATE_ROUTE_MAX = 64, /* GateRoute lines; ours */
	CONF_GATE_TLS_MAX = 32, /* GateTLS lines; as common/tls_private.h */
	CONF_LIST_MAX = 32, /* lines of one list; ours */
	CONF_LIST_TEXT = 512, /* room for one of them; ours */
	CONF_PEER_MAX = 256, /* TrackingPeer lines; ours */
	CONF_LOCAL_MAX = 108, /* a socket's path with its NUL: unix(7) */
};

enum conf_unknown { UNKNOWN_NOINFO, UNKNOWN_OPAQUE };
enum conf_badmtrk { BADMTRK_IGNORE, BADMTRK_REJECT };
enum conf_hop_tls { HOP_TLS_MAY, HOP_TLS_VERIFY };

struct conf_listen {
	char host[256]; /* numeric address, without brackets */
	uint64_t port;
};
enum conf_gate_mode { GATE_PLAIN, GATE_PROXY, GATE_TRANSPARENT };
struct conf_gate_listen {
	struct conf_listen at, to;
	char local[CONF_LOCAL_MAX]; /* the MTA's socket; "": it is at `to` */
	enum conf_gate_mode mode;
	bool tls; /* from the first octet */
};
struct conf_gate_tls {
	char certificate[CONF_TEXT_MAX], key[CONF_TEXT_MAX];
};
struct conf_hop { /* a domain whose MX are meant, or one host */
	char host[256]; /* without brackets */
	uint64_t port;
	bool mx;
};
struct conf_gate_route {
	struct conf_listen listen;
	struct conf_hop hop;
};
struct conf_instance {
	char syslog_name[64]; /* as the MTA's log lines say it */
	char daemon_name[64]; /* as the milter macro {daemon_name} says it */
};

enum conf_list_of {
	CONF_OF_PAIR,
	CONF_OF_LISTEN,
	CONF_OF_DOMAIN,
	CONF_OF_RANGE
};
struct conf_list {
	char text[CONF_LIST_MAX][CONF_LIST_TEXT]; /* checked when read */
	size_t n;
};

struct conf {
	char store[CONF_TEXT_MAX];
	uint64_t store_limit; /* octets */
	char reporting_mta[256];
	uint64_t retention_s, retention_limit_s;
	char milter_socket[CONF_TEXT_MAX];
	uint64_t milter_socket_mode;
	char milter_socket_group[64]; /* "": leave */
	uint64_t on_bad_mtrk; /* enum conf_badmtrk */
	char mail_log[CONF_TEXT_MAX];
	uint64_t queue_lifetime_s;
	struct peer peer[CONF_PEER_MAX];
	size_t peers;
	char content_filter[64]; /* a pipe(8) service; "": none */
	uint64_t waiting_size, waiting_time_s; /* octets; of the waiting room */
	uint64_t hide_forwarding; /* 0, 1 */
	struct conf_listen listen[CONF_LISTEN_MAX];
	size_t listens;
	struct conf_instance instance[CONF_INSTANCE_MAX];
	size_t instances;
	struct conf_gate_listen gate_listen[CONF_LISTEN_MAX];
	size_t gate_listens;
	struct conf_gate_tls gate_tls[CONF_GATE_TLS_MAX];
	size_t gate_tlses;
	uint64_t gate_backend_tls; /* 0, 1 */
	struct conf_gate_route gate_route[CONF_GATE_ROUTE_MAX];
	size_t gate_routes;
	uint64_t hop_tls; /* enum conf_hop_tls */
	char hop_ca[CONF_TEXT_MAX]; /* "": the system's */
	char tls_certificate[CONF_TEXT_MAX], tls_key[CONF_TEXT_MAX];
	struct conf_list tls_also; /* see conf_parse_pair() */
	struct conf_list listen_tls; /* see conf_parse_listen() */
	uint64_t require_tls; /* 0, 1 */
	struct conf_list require_tls_for; /* domains */
	struct conf_list chain; /* domains, and see net_range_parse() */
	uint64_t disguise; /* 0, 1 */
	uint64_t mtqp_connections;
	/* of one address; 0: any number */
	uint64_t mtqp_connections_per_client, mtqp_command_rate, mtqp_failures;
	uint64_t mtqp_memory; /* octets */
	char audit_log[CONF_TEXT_MAX], metrics_socket[CONF_TEXT_MAX];
	uint64_t unknown; /* enum conf_unknown */
	char user[64], mtqp_user[64]; /* mtqp_user "": as user */
	uint64_t log_to, log_level;
};

/* The defaults alone. */
void conf_defaults(struct conf *);
/*
 * Defaults, then the file.  Every fault is written to `errors`, one line
 * each, "file:line: reason"; MTRK_SYNTAX if there was one, MTRK_IO if the
 * file can't be read.
 */
enum mtrk_err conf_load(const char *path, struct conf *, FILE *errors);
/* As understood, in the words of the file (-nn). */
void conf_print(const struct conf *, FILE *);
/* The instance for a syslog or daemon name, borrowed from the struct;
 * "default" without Instance lines, NULL when there are such lines and none
 * fits. */
const char *conf_instance_by_syslog(const struct conf *, struct span);
const char *conf_instance_by_daemon(const struct conf *, struct span);

/* NULL, or a static text: why the value will not do. */
const char *conf_list_add(
    struct conf_list *, enum conf_list_of, struct span value);
/* A ListenTLS line, and a TLSAlso line.  False: it is none. */
bool conf_parse_listen(struct span, struct conf_listen *);
bool conf_parse_pair(
    struct span, char first[CONF_LIST_TEXT], char second[CONF_LIST_TEXT]);
/* A TrackingPeer line: NULL, or a static text: why it will not do. */
const char *conf_peer_add(struct conf *, struct span);
/* Is a next hop, by its name or address, a TrackingPeer? */
bool conf_tracks(const struct conf *, struct span name, struct span address);

/* "90", "10m", "36h", "9d", "2w" in seconds.  False: none of these. */
bool conf_parse_time(struct span, uint64_t *);

#endif
