/*
 * Part of ferrofuse.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

/** @file
 * The option parser. It knows nothing of file systems and can serve any program.
 *
 * None of these functions locks anything: one argument vector belongs to one thread at a time.
 */

#ifndef _FUSE_OPT_H_
#define _FUSE_OPT_H_

#ifdef __cplusplus
extern "C" {
#endif

/**
 * One option that fuse_opt_parse() is to recognise.
 *
 * Forms of the template, `foo` standing for any text:
 *
 * | template   | matches                                  | stores                              |
 * |------------|------------------------------------------|-------------------------------------|
 * | `-x`       | `-x`                                     | `value`                             |
 * | `foo`      | `-o foo`                                 | `value`                             |
 * | `foo=%i`   | `-o foo=1`                               | the number, as sscanf(3) reads it   |
 * | `foo=%s`   | `-o foo=text`                            | a copy of the text, from malloc(3)  |
 * | `-x %s`    | `-x text`, also as two arguments         | likewise                            |
 * | `foo=`     | every `-o foo=...`                       | nothing; meant for keys             |
 *
 * An option is stored in the caller's struct, unless the entry was made by FUSE_OPT_KEY(); then the
 * caller's function is called. An option that matches several entries counts for each of them.
 */
struct fuse_opt {
    /** What the option looks like; NULL ends the table. */
    const char *templ;

    /** Where in the caller's struct the option is stored, from offsetof(); `-1U`: nowhere. */
    unsigned long offset;

    /** The `int` to store if the template has no format; the key if `offset` is `-1U`. */
    int value;
};

/**
 * An entry for which the caller's function is called.
 *
 * @param templ what the option looks like
 * @param key passed to the function; or one of FUSE_OPT_KEY_KEEP and FUSE_OPT_KEY_DISCARD, for
 * which there is no call
 */
#define FUSE_OPT_KEY(templ, key) { templ, -1U, key }

/** The entry that ends a table. */
#define FUSE_OPT_END { 0, 0, 0 }

/** An argument vector that can grow. */
struct fuse_args {
    /** Number of arguments. */
    int argc;

    /** The arguments, NULL-terminated. */
    char **argv;

    /** Whether `argv` and its strings are from malloc(3) and belong to this struct. */
    int allocated;
};

/** Initialiser for a `struct fuse_args` that borrows the arguments of main(). */
#define FUSE_ARGS_INIT(argc, argv) { argc, argv, 0 }

/** Key of an option that matched no entry. */
#define FUSE_OPT_KEY_OPT -1

/** Key of an argument that is no option. */
#define FUSE_OPT_KEY_NONOPT -2

/** Key that keeps the option in the vector, without a call. */
#define FUSE_OPT_KEY_KEEP -3

/** Key that drops the option, without a call. */
#define FUSE_OPT_KEY_DISCARD -4

/**
 * Decides what becomes of an option.
 *
 * It is called for entries made by FUSE_OPT_KEY(), for options that match no entry and for
 * arguments that are no options.
 *
 * @param data what was given to fuse_opt_parse()
 * @param arg the whole argument or option, with its value; valid during the call
 * @param key the key of the entry, or FUSE_OPT_KEY_OPT, or FUSE_OPT_KEY_NONOPT
 * @param outargs the vector as it is built so far; may be added to
 * @return -1 ends the parse with an error, 0 drops the argument, 1 keeps it
 */
typedef int (*fuse_opt_proc_t)(void *data, const char *arg, int key, struct fuse_args *outargs);

/**
 * Sorts the arguments into known options, which are stored, and the rest, which is kept.
 *
 * Both `-ofoo,bar` and `-o foo,bar` are taken apart at the commas; `\,` and `\\` stand for the
 * characters themselves, `\ooo` is octal. `--` ends the options. On success the vector is replaced
 * by one that holds what was kept and belongs to the caller; free it by fuse_opt_free_args().
 *
 * @param args the arguments; NULL, or without arguments: nothing is done
 * @param data the struct that options are stored in; may be NULL if none is
 * @param opts the table; NULL stands for an empty one
 * @param proc the function; NULL keeps what it would have been asked for
 * @return 0, or -1 after a message
 */
int fuse_opt_parse(struct fuse_args *args, void *data, const struct fuse_opt opts[],
                   fuse_opt_proc_t proc);

/**
 * Adds an option to a comma-separated list.
 *
 * @param opts the list, from malloc(3), or a NULL pointer; replaced
 * @param opt the option
 * @return 0, or -1 if memory ran out
 */
int fuse_opt_add_opt(char **opts, const char *opt);

/**
 * Adds an option to a comma-separated list, with a backslash before its commas and backslashes.
 *
 * @param opts the list, from malloc(3), or a NULL pointer; replaced
 * @param opt the option
 * @return 0, or -1 if memory ran out
 */
int fuse_opt_add_opt_escaped(char **opts, const char *opt);

/**
 * Adds a copy of an argument at the end of a vector.
 *
 * @param args the vector; allocated, or empty
 * @param arg the argument
 * @return 0, or -1 if memory ran out
 */
int fuse_opt_add_arg(struct fuse_args *args, const char *arg);

/**
 * Adds a copy of an argument in the middle of a vector.
 *
 * What comes from main() must not be added to: parse it first.
 *
 * @param args the vector; allocated, or empty
 * @param pos where, from 0 to argc
 * @param arg the argument
 * @return 0, or -1 if memory ran out
 */
int fuse_opt_insert_arg(struct fuse_args *args, int pos, const char *arg);

/**
 * Frees what the vector owns and makes it empty. The struct itself stays the caller's.
 *
 * @param args the vector; may be NULL
 */
void fuse_opt_free_args(struct fuse_args *args);

/**
 * Says whether an option is in a table.
 *
 * @param opts the table
 * @param opt the option
 * @return 1 if it matches an entry, else 0
 */
int fuse_opt_match(const struct fuse_opt opts[], const char *opt);

#ifdef __cplusplus
}
#endif

#endif /* _FUSE_OPT_H_ */
