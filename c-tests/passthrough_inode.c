/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The table of inodes the kernel knows, keyed by (device, inode number). */
#include "passthrough.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_BUCKETS 1024

static size_t slot(const struct pt_table *t, dev_t dev, ino_t ino)
{
	uint64_t h = ((uint64_t)ino * 0x9e3779b97f4a7c15u) ^ (uint64_t)dev;

	return (size_t)(h >> 20) & (t->nbucket - 1);
}

int pt_table_init(struct pt_table *t, const char *source)
{
	struct stat st;

	pthread_mutex_init(&t->lock, NULL);
	t->nbucket = FIRST_BUCKETS;
	t->bucket = calloc(t->nbucket, sizeof(*t->bucket));
	if (!t->bucket)
		return ENOMEM;
	t->root.fd = open(source, O_PATH | O_CLOEXEC);
	if (t->root.fd < 0 || fstat(t->root.fd, &st) != 0)
		return errno;
	t->root.dev = st.st_dev;
	t->root.ino = st.st_ino;
	t->root.nlookup = 1;
	return 0;
}

void pt_table_destroy(struct pt_table *t)
{
	for (size_t i = 0; i < t->nbucket; i++) {
		while (t->bucket[i]) {
			struct pt_inode *n = t->bucket[i];

			t->bucket[i] = n->next;
			close(n->fd);
			free(n);
		}
	}
	free(t->bucket);
	if (t->root.fd >= 0)
		close(t->root.fd);
	pthread_mutex_destroy(&t->lock);
}

struct pt_inode *pt_inode(fuse_req_t req, fuse_ino_t ino)
{
	if (ino == FUSE_ROOT_ID)
		return &pt_fs(req)->table.root;
	return (struct pt_inode *)(uintptr_t)ino;
}

/* Called with the lock held; a failed growth only leaves longer chains. */
static void grow(struct pt_table *t)
{
	struct pt_table bigger = *t;

	bigger.nbucket = t->nbucket * 2;
	bigger.bucket = calloc(bigger.nbucket, sizeof(*bigger.bucket));
	if (!bigger.bucket)
		return;
	for (size_t i = 0; i < t->nbucket; i++) {
		struct pt_inode *n = t->bucket[i];

		while (n) {
			struct pt_inode *next = n->next;
			size_t to = slot(&bigger, n->dev, n->ino);

			n->next = bigger.bucket[to];
			bigger.bucket[to] = n;
			n = next;
		}
	}
	free(t->bucket);
	t->bucket = bigger.bucket;
	t->nbucket = bigger.nbucket;
}

struct pt_inode *pt_inode_get(struct pt_table *t, int fd, const struct stat *st)
{
	struct pt_inode *n;
	size_t i;

	pthread_mutex_lock(&t->lock);
	i = slot(t, st->st_dev, st->st_ino);
	for (n = t->bucket[i]; n; n = n->next)
		if (n->ino == st->st_ino && n->dev == st->st_dev)
			break;
	if (n) {
		n->nlookup++;
		pthread_mutex_unlock(&t->lock);
		close(fd);
		return n;
	}
	n = calloc(1, sizeof(*n));
	if (n) {
		n->fd = fd;
		n->dev = st->st_dev;
		n->ino = st->st_ino;
		n->nlookup = 1;
		if (++t->count > t->nbucket) {
			grow(t);
			i = slot(t, n->dev, n->ino);
		}
		n->next = t->bucket[i];
		t->bucket[i] = n;
	}
	pthread_mutex_unlock(&t->lock);
	if (!n)
		close(fd);
	return n;
}

void pt_inode_put(struct pt_table *t, fuse_ino_t ino, uint64_t n)
{
	struct pt_inode *inode = (struct pt_inode *)(uintptr_t)ino;
	struct pt_inode **at;

	if (ino == FUSE_ROOT_ID)
		return;
	pthread_mutex_lock(&t->lock);
	if (n > inode->nlookup) {
		fprintf(stderr, "forget of %llu lookups, only %llu known\n",
			(unsigned long long)n, (unsigned long long)inode->nlookup);
		abort();
	}
	inode->nlookup -= n;
	if (inode->nlookup != 0) {
		pthread_mutex_unlock(&t->lock);
		return;
	}
	at = &t->bucket[slot(t, inode->dev, inode->ino)];
	while (*at != inode)
		at = &(*at)->next;
	*at = inode->next;
	t->count--;
	pthread_mutex_unlock(&t->lock);
	close(inode->fd);
	free(inode);
}

int pt_lookup_entry(fuse_req_t req, fuse_ino_t parent, const char *name,
		    struct fuse_entry_param *e)
{
	struct pt_fs *fs = pt_fs(req);
	struct pt_inode *inode;
	int fd;

	memset(e, 0, sizeof(*e));
	e->attr_timeout = fs->attr_timeout;
	e->entry_timeout = fs->entry_timeout;
	fd = openat(pt_inode(req, parent)->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (fstatat(fd, "", &e->attr, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0) {
		int err = errno;

		close(fd);
		return err;
	}
	inode = pt_inode_get(&fs->table, fd, &e->attr);
	if (!inode)
		return ENOMEM;
	e->ino = (uintptr_t)inode;
	return 0;
}

void pt_reply_entry(fuse_req_t req, const struct fuse_entry_param *e)
{
	struct pt_fs *fs = pt_fs(req);

	if (fuse_reply_entry(req, e) != 0 && e->ino != 0)
		pt_inode_put(&fs->table, e->ino, 1);
}
