/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Shared between the parts of the passthrough filesystem (passthrough_ll.c). */
#ifndef FERRO_PASSTHROUGH_H
#define FERRO_PASSTHROUGH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define FUSE_USE_VERSION 314

#include <fuse_lowlevel.h>
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* A file of the source tree that the kernel knows. Its address is the node id. */
struct pt_inode {
	struct pt_inode *next; /* in its hash bucket */
	int fd;                /* O_PATH: pins dev and ino, so they stay unique */
	dev_t dev;
	ino_t ino;
	uint64_t nlookup;      /* lookups that the kernel has not taken back yet */
};

struct pt_table {
	pthread_mutex_t lock;
	struct pt_inode **bucket;
	size_t nbucket; /* a power of two */
	size_t count;
	struct pt_inode root; /* never in a bucket, never freed */
};

/* Which lock owners hold, or held, record locks on which open files. */
struct pt_lock_users {
	pthread_mutex_t lock;
	struct pt_lock_user {
		int fd;
		uint64_t owner;
	} *user;
	size_t count, room;
	atomic_bool ever; /* spares flush and release the list while nobody locks */
};

struct pt_fs {
	struct pt_table table;
	int proc_fd;          /* /proc/self/fd, to reopen O_PATH descriptors */
	struct pt_lock_users lock_users;
	struct fuse_conn_info_opts *conn_opts;
	/* Options. */
	char *source;
	double timeout;
	double entry_timeout;
	double attr_timeout;
	double negative_timeout;
	int writeback;
	int no_splice;
	int no_xattr;
	int no_readdirplus;
	int direct_io;
	int keep_cache;
	int no_flush;
};

struct pt_dir {
	DIR *dp;
	struct dirent *ahead; /* read, but did not fit into the last reply */
	off_t offset;         /* where the stream stands */
};

static inline struct pt_fs *pt_fs(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* The path by which an O_PATH descriptor can be opened, written or linked. */
struct pt_path {
	char s[40];
};
struct pt_path pt_proc_path(int fd);

/* passthrough_inode.c */
int pt_table_init(struct pt_table *t, const char *source);
void pt_table_destroy(struct pt_table *t);
struct pt_inode *pt_inode(fuse_req_t req, fuse_ino_t ino);
/* Takes one lookup of (st->st_dev, st->st_ino); consumes fd. NULL: no memory. */
struct pt_inode *pt_inode_get(struct pt_table *t, int fd, const struct stat *st);
void pt_inode_put(struct pt_table *t, fuse_ino_t ino, uint64_t n);
/* Looks name up below parent and fills e. 0 or an errno. Takes one lookup. */
int pt_lookup_entry(fuse_req_t req, fuse_ino_t parent, const char *name,
		    struct fuse_entry_param *e);
/* Replies with e and gives the lookup back if the kernel did not take it. */
void pt_reply_entry(fuse_req_t req, const struct fuse_entry_param *e);

/* Each fills its part of the table. */
void pt_ops_meta(struct fuse_lowlevel_ops *ops);   /* passthrough_meta.c */
void pt_ops_names(struct fuse_lowlevel_ops *ops);  /* passthrough_names.c */
void pt_ops_dir(struct fuse_lowlevel_ops *ops);    /* passthrough_dir.c */
void pt_ops_file(struct fuse_lowlevel_ops *ops);   /* passthrough_file.c */
void pt_ops_locks(struct fuse_lowlevel_ops *ops);  /* passthrough_locks.c */
/* close() by one owner: its record locks go. */
void pt_locks_flush(struct pt_fs *fs, int fd, uint64_t owner);
/* The open file is about to be closed. */
void pt_locks_forget(struct pt_fs *fs, int fd);

#endif
