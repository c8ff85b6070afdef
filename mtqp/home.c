#include "mtqp/home.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *
home(void)
{
	const char *home = getenv("HOME");
	const struct passwd *pw;

	if (home != NULL && home[0] == '/')
		return home;
	pw = getpwuid(getuid());
	return pw != NULL && pw->pw_dir[0] == '/' ? pw->pw_dir : NULL;
}

bool
home_path(const char *variable, const char *folder, char *out, size_t size)
{
	const char *base = getenv(variable), *below = home();
	int n = -1;

	if (base != NULL && base[0] == '/')
		n = snprintf(out, size, "%s/mtrk", base);
	else if (below != NULL)
		n = snprintf(out, size, "%s/%s/mtrk", below, folder);
	if (n > 0 && (size_t)n < size)
		return true;
	errno = n < 0 ? ENOENT : ENAMETOOLONG;
	snprintf(out, size, n < 0 ? "$HOME" : "$%s", variable);
	return false;
}
