/*
 * A clock of whole seconds, to be preloaded: of the short queue ids of Postfix,
 * microseconds and inode, only the inode differs then.
 */
#include <stddef.h>
#include <sys/time.h>
#include <time.h>

int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	(void)zone;
	tv->tv_sec = time(NULL);
	tv->tv_usec = 0x3f905;
	return 0;
}
