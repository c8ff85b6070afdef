/*
 * mtqp/track_sendmail.h -- mtrk-track's subcommand that mail programs call as
 * they would call sendmail(8).
 */
#ifndef MTRK_MTQP_TRACK_SENDMAIL_H
#define MTRK_MTQP_TRACK_SENDMAIL_H

/* argv[0] is the subcommand; the exit status is returned. */
int track_sendmail(int argc, char **argv);

#endif
