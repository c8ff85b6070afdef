/*
 * mtqp/track_wallet.h -- mtrk-track's subcommands for what was sent: list,
 * share, forget.
 */
#ifndef MTRK_MTQP_TRACK_WALLET_H
#define MTRK_MTQP_TRACK_WALLET_H

/* argv[0] is the subcommand; the exit status is returned. */
int track_list(int argc, char **argv);
int track_share(int argc, char **argv);
int track_forget(int argc, char **argv);

#endif
