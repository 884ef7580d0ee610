/* What the parts of the torture client share. */
#ifndef TORTURE_H
#define TORTURE_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../../samples/clients/mshv.h"

/* What one thread has done; in memory that all processes share, so that those that were killed are counted too. */
struct count {
	uint32_t tid;
	uint32_t ioctls; /* of the type of the drivers, on whatever descriptor */
	uint32_t opens;  /* of the device, failed ones too */
	uint32_t killed; /* it may have been killed within a call */
};

/* One thread. */
struct self {
	uint64_t random;
	struct count *count;
	uint8_t *arena; /* memory that may become a guest's */
};

#define ARENA (64 * 4096)
#define PAGE 4096

struct count *new_count(void);
uint64_t any(struct self *self);
static inline uint64_t below(struct self *self, uint64_t limit) { return any(self) % limit; }
static inline int one_in(struct self *self, uint64_t n) { return below(self, n) == 0; }

/* Descriptors that the threads of a process share: each may close any at any time. */
#define POOL 48
extern int pool[POOL];
int some_fd(struct self *self);
void keep(struct self *self, int fd);

long call(struct self *self, int fd, unsigned long op, void *argument);
int open_some(struct self *self);
void use_descriptor(struct self *self);
void any_ioctl(struct self *self);
void machine(struct self *self);
void round_of(struct self *self, int depth);

#endif
