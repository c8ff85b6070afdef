/* common/libevent.h -- the one door to libevent: for loop*.c and watch.c. */
#ifndef MTRK_COMMON_LIBEVENT_H
#define MTRK_COMMON_LIBEVENT_H

#include <event2/event.h>
#include <event2/listener.h>

#endif
