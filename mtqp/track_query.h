/*
 * mtqp/track_query.h -- mtrk-track's subcommand that asks: query.
 */
#ifndef MTRK_MTQP_TRACK_QUERY_H
#define MTRK_MTQP_TRACK_QUERY_H

/* argv[0] is the subcommand; the exit status is returned. */
int track_query(int argc, char **argv);

#endif
