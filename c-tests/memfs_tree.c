/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The nodes of the memory filesystem. Inodes are never reused. */
#include "memfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct mem_node *mem_node(struct mem_fs *m, fuse_ino_t ino)
{
	return ino < m->nnode ? m->node[ino] : NULL;
}

struct mem_child *mem_find(struct mem_fs *m, fuse_ino_t parent, const char *name)
{
	struct mem_node *dir = mem_node(m, parent);

	for (size_t i = 0; dir && i < dir->nchild; i++)
		if (dir->child[i].name && strcmp(dir->child[i].name, name) == 0)
			return &dir->child[i];
	return NULL;
}

/* Room for `want` items: the array, moved perhaps, or NULL and nothing changed. */
static void *reserve(void *array, size_t *room, size_t want, size_t item)
{
	size_t n = *room ? *room : 16;
	void *p;

	if (want <= *room)
		return array;
	while (n < want)
		n *= 2;
	p = realloc(array, n * item);
	if (p)
		*room = n;
	return p;
}

static bool reserve_nodes(struct mem_fs *m, size_t want)
{
	struct mem_node **p = reserve(m->node, &m->node_room, want, sizeof(*p));

	if (p)
		m->node = p;
	return p;
}

static bool reserve_children(struct mem_node *dir, size_t want)
{
	struct mem_child *p = reserve(dir->child, &dir->child_room, want, sizeof(*p));

	if (p)
		dir->child = p;
	return p;
}

static fuse_ino_t new_node(struct mem_fs *m, mode_t mode, enum mem_kind kind)
{
	struct mem_node *n;

	if (!reserve_nodes(m, m->nnode + 1))
		return 0;
	n = calloc(1, sizeof(*n));
	if (!n)
		return 0;
	n->kind = kind;
	n->mode = mode;
	n->nlink = S_ISDIR(mode) ? 2 : 1;
	n->mtime.tv_sec = 1700000000 + (time_t)m->nnode;
	m->node[m->nnode] = n;
	return m->nnode++;
}

fuse_ino_t mem_add(struct mem_fs *m, fuse_ino_t parent, const char *name, mode_t mode,
		   enum mem_kind kind)
{
	struct mem_node *dir = mem_node(m, parent);
	fuse_ino_t ino;
	char *copy;

	if (!dir || !S_ISDIR(dir->mode)) {
		errno = ENOTDIR;
		return 0;
	}
	copy = strdup(name);
	if (copy && reserve_children(dir, dir->nchild + 1)) {
		ino = new_node(m, mode, kind);
		if (ino) {
			m->node[ino]->parent = parent;
			dir->child[dir->nchild++] = (struct mem_child){ copy, ino };
			if (S_ISDIR(mode))
				dir->nlink++;
			return ino;
		}
	}
	free(copy);
	errno = ENOMEM;
	return 0;
}

void mem_remove(struct mem_fs *m, struct mem_child *c)
{
	struct mem_node *n = mem_node(m, c->ino);

	free(c->name);
	c->name = NULL;
	n->nlink = 0;
	if (S_ISDIR(n->mode))
		mem_node(m, n->parent)->nlink--;
}

int mem_resize(struct mem_node *n, size_t size)
{
	if (size > n->room) {
		char *p = reserve(n->data, &n->room, size, 1);

		if (!p)
			return ENOMEM;
		n->data = p;
	}
	if (size > n->size)
		memset(n->data + n->size, 0, size - n->size);
	n->size = size;
	return 0;
}

void mem_stat(struct mem_fs *m, fuse_ino_t ino, struct stat *st)
{
	const struct mem_node *n = mem_node(m, ino);

	memset(st, 0, sizeof(*st));
	st->st_ino = ino;
	st->st_mode = n->mode;
	st->st_nlink = n->nlink;
	st->st_uid = n->uid;
	st->st_gid = n->gid;
	st->st_size = (off_t)n->size;
	st->st_blocks = (blkcnt_t)((n->size + 511) / 512);
	st->st_blksize = 4096;
	st->st_atim = st->st_mtim = st->st_ctim = n->mtime;
}

int mem_tree_init(struct mem_fs *m)
{
	static const struct {
		const char *name;
		enum mem_kind kind;
	} special[] = {
		{ "ctl", MEM_CTL },	{ "sleep", MEM_SLEEP },
		{ "sleep_poll", MEM_SLEEP_POLL }, { "ctx", MEM_CTX },
		{ "pollfile", MEM_POLL },
	};

	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->retrieved, NULL);
	if (!reserve_nodes(m, 2))
		return ENOMEM;
	m->node[0] = NULL;
	m->nnode = 1;
	if (new_node(m, S_IFDIR | 0755, MEM_PLAIN) != FUSE_ROOT_ID)
		return ENOMEM;
	m->node[FUSE_ROOT_ID]->parent = FUSE_ROOT_ID;
	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
		if (!mem_add(m, FUSE_ROOT_ID, special[i].name, S_IFREG | 0666, special[i].kind))
			return ENOMEM;
	return 0;
}

void mem_tree_destroy(struct mem_fs *m)
{
	for (size_t i = 1; i < m->nnode; i++) {
		struct mem_node *n = m->node[i];

		for (size_t c = 0; c < n->nchild; c++)
			free(n->child[c].name);
		free(n->child);
		free(n->data);
		free(n);
	}
	free(m->node);
	pthread_cond_destroy(&m->retrieved);
	pthread_mutex_destroy(&m->lock);
}
