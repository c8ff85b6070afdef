/*
 * mtqp/track_send.h -- mtrk-track's subcommands that make a message: new, send.
 */
#ifndef MTRK_MTQP_TRACK_SEND_H
#define MTRK_MTQP_TRACK_SEND_H

/* argv[0] is the subcommand; the exit status is returned. */
int track_new(int argc, char **argv);
int track_send(int argc, char **argv);

#endif
