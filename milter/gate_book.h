/*
 * milter/gate_book.h -- what the outbound gate asks of the store and tells it:
 * a book for the process, a page for each conversation.  A store that can't be
 * had costs tracking, never mail.
 */
#ifndef MTRK_MILTER_GATE_BOOK_H
#define MTRK_MILTER_GATE_BOOK_H

#include "common/conf.h"
#include "common/loop.h"
#include "milter/gate_outbound.h"

struct gate_book;

/* `queue_id` is the only message's, or empty.  Borrows all.  NULL: no memory.
 * The store is opened by gate_book_open(), or when the first message comes,
 * and tried again once a minute. */
struct gate_book *gate_book_new(
    struct loop *, const struct conf *, const char *queue_id);
void gate_book_free(struct gate_book **); /* NULL is fine */
void gate_book_open(struct gate_book *);

struct gate_page;

/* written(arg): see gate_page_write().  NULL: no memory. */
struct gate_page *gate_page_new(
    struct gate_book *, void (*written)(void *arg), void *arg);
void gate_page_free(struct gate_page **); /* NULL is fine */
struct outbound_doors gate_page_doors(struct gate_page *);
/* The next hop's host, as the DNS or the configuration names it; it must live
 * until another is told. */
void gate_page_host(struct gate_page *, const char *host);
/*
 * What was taken becomes durable, before the MTA hears of it and logs it.
 * True: it is, or this is not waited for any more.  False: ask again when
 * written() was called, a second later at most; nothing else waits meanwhile.
 */
bool gate_page_write(struct gate_page *);

#endif
