/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Shared between the parts of the memory filesystem (memfs_ll.c). */
#ifndef FERRO_MEMFS_H
#define FERRO_MEMFS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
/* The level whose loop takes the transparent configuration struct. */
#define FUSE_USE_VERSION 35

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>

/* Files of the root directory which are more than bytes. */
enum mem_kind {
	MEM_PLAIN,
	MEM_CTL,        /* write a command, read its result; see memfs_ctl.c */
	MEM_SLEEP,      /* read blocks until the interrupt callback runs */
	MEM_SLEEP_POLL, /* read blocks until fuse_req_interrupted() says so */
	MEM_CTX,        /* read: who is asking, and who made the last entry */
	MEM_POLL,       /* readable once the command "poll" was given */
};

struct mem_child {
	char *name; /* NULL: removed; the slot stays, so that offsets stay valid */
	fuse_ino_t ino;
};

struct mem_node {
	enum mem_kind kind;
	mode_t mode;
	nlink_t nlink;
	uid_t uid;
	gid_t gid;
	struct timespec mtime;
	char *data;
	size_t size, room;
	fuse_ino_t parent;
	struct mem_child *child; /* directories: entry i has offset i + 3 */
	size_t nchild, child_room;
	uint32_t tag; /* set and read by ioctl */
};

struct mem_fs {
	pthread_mutex_t lock; /* guards everything below */
	struct mem_node **node; /* by inode number; 0 is unused */
	size_t nnode, node_room;
	struct fuse_session *se;
	struct fuse_pollhandle *poll_handle;
	bool poll_ready;
	char result[4096];  /* of the last command */
	char maker[128];    /* context of the last mkdir, mknod or create */
	/* A retrieval under way. */
	pthread_cond_t retrieved;
	bool retrieve_done;
	char retrieve_data[2048];
	/* Options. */
	int async;    /* answer reads and getattr from another thread */
	int iov;      /* answer reads in several pieces */
	double timeout;
};

static inline struct mem_fs *mem_fs(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* memfs_tree.c: all with the lock held */
int mem_tree_init(struct mem_fs *m);
void mem_tree_destroy(struct mem_fs *m);
struct mem_node *mem_node(struct mem_fs *m, fuse_ino_t ino);
struct mem_child *mem_find(struct mem_fs *m, fuse_ino_t parent, const char *name);
/* The new inode, or 0 with errno set. */
fuse_ino_t mem_add(struct mem_fs *m, fuse_ino_t parent, const char *name, mode_t mode,
		   enum mem_kind kind);
void mem_remove(struct mem_fs *m, struct mem_child *c);
int mem_resize(struct mem_node *n, size_t size);
void mem_stat(struct mem_fs *m, fuse_ino_t ino, struct stat *st);

/* memfs_ctl.c */
void mem_ctl_write(fuse_req_t req, const char *buf, size_t size);
void mem_retrieve_reply(fuse_req_t req, void *cookie, fuse_ino_t ino, off_t offset,
			struct fuse_bufvec *bufv);

/* memfs_special.c */
void mem_sleep(fuse_req_t req, enum mem_kind kind);
void mem_ctx_text(fuse_req_t req, char *buf, size_t size);
void mem_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
	       struct fuse_file_info *fi, unsigned int flags, const void *in_buf,
	       size_t in_bufsz, size_t out_bufsz);
void mem_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
	      struct fuse_pollhandle *ph);

/* The ioctl commands of every file and directory. drive_memfs.py knows them too. */
struct mem_ioc_pair {
	uint32_t a, b;
};
#define MEM_IOC_INFO _IOR('F', 1, struct mem_ioc_pair)  /* a: inode, b: 1 for a directory */
#define MEM_IOC_ADD _IOWR('F', 2, struct mem_ioc_pair)  /* {a, b} becomes {a+b, a*b} */
#define MEM_IOC_TAG _IOW('F', 3, uint32_t)              /* returns the previous tag */
#define MEM_IOC_VALUE _IO('F', 4)                       /* returns the low byte of arg */

#endif
