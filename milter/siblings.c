#include "milter/siblings.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { LOOKS_MAX = 10 /* until the folder is quiet; ours */ };

/* "mail.log": mail.log itself, mail.log.1, mail.log-20261124.gz. */
static bool
name_behind(struct span base, struct span name)
{
	return name.n >= base.n && memcmp(name.p, base.p, base.n) == 0 &&
	    (name.n == base.n || strchr(".-_", name.p[base.n]) != NULL);
}

/* "mail.log": mail-20261124.log, mail.1.log.gz: only numbers between. */
static bool
name_within(struct span base, struct span name)
{
	size_t dot = base.n;
	struct span end, middle;

	while (dot > 0 && base.p[dot - 1] != '.')
		dot--;
	if (dot < 2)
		return false;
	end = span_from(base, --dot);
	if (span_ends(name, ".gz"))
		name.n -= strlen(".gz");
	if (name.n <= base.n || memcmp(name.p, base.p, dot) != 0 ||
	    memcmp(name.p + name.n - end.n, end.p, end.n) != 0)
		return false;
	middle = (struct span){ name.p + dot, name.n - base.n };
	for (size_t i = 0; i < middle.n; i++)
		if (strchr("0123456789.-_", middle.p[i]) == NULL)
			return false;
	return true;
}

bool
sibling_name(const char *base, const char *name)
{
	return name_behind(span_of(base), span_of(name)) ||
	    name_within(span_of(base), span_of(name));
}

struct look {
	const char *base;
	size_t dir_n; /* of the path that is the folder, with its "/" */
	const char *path;
	sibling_fits_fn *fits;
	sibling_better_fn *better;
	void *arg;
	struct sibling best;
	bool found;
};

static void
look_at(struct look *l, const char *name)
{
	char path[SIBLINGS_PATH_MAX];
	struct sibling s = { .is_path = strcmp(name, l->base) == 0 };

	if (!sibling_name(l->base, name))
		return;
	snprintf(path, sizeof path, "%.*s%s", (int)l->dir_n, l->path, name);
	if (!piece_open(&s.piece, path))
		return;
	if (!l->fits(&s, l->arg) ||
	    (l->found && !l->better(&l->best, &s, l->arg))) {
		piece_close(&s.piece);
		return;
	}
	if (l->found)
		piece_close(&l->best.piece);
	l->best = s;
	l->found = true;
}

/* False: names changed meanwhile, so that one may not have been seen.  What
 * was found stays, though its name may be gone. */
static bool
look_around(struct look *l, DIR *d)
{
	struct stat before, after;
	struct dirent *e;

	rewinddir(d);
	if (fstat(dirfd(d), &before) == -1)
		return true;
	while ((e = readdir(d)) != NULL)
		look_at(l, e->d_name);
	return fstat(dirfd(d), &after) == -1 ||
	    (after.st_mtim.tv_sec == before.st_mtim.tv_sec &&
		after.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
}

bool
siblings_best(const char *path, sibling_fits_fn fits, sibling_better_fn better,
    void *arg, struct sibling *out)
{
	const char *base = strrchr(path, '/') + 1;
	struct look l = { .base = base,
		.dir_n = (size_t)(base - path),
		.path = path,
		.fits = fits,
		.better = better,
		.arg = arg };
	char dir[PATH_MAX];
	DIR *d;

	snprintf(dir, sizeof dir, "%.*s", (int)l.dir_n, path);
	if ((d = opendir(dir)) == NULL)
		return false;
	for (int i = 0; i < LOOKS_MAX && !look_around(&l, d); i++)
		;
	closedir(d);
	*out = l.best;
	return l.found;
}
