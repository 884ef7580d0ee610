/*
 * Makes calls until it is told to end: four threads that sleep, wait and call, and one that catches signals. Prints a line
 * first, and at the end whether anything failed that should not.
 */
#include "../../emulate/clients/common.h"
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <time.h>

#define THREADS 4

static volatile sig_atomic_t ended, caught;
static int unexpected;

static void end(int unused)
{
	(void)unused;
	ended = 1;
}

static void count(int unused)
{
	(void)unused;
	caught++;
}

static void *work(void *unused)
{
	int file = open("/dev/null", O_RDWR), poll = epoll_create1(0);
	struct epoll_event event;
	struct timespec pause = { .tv_nsec = 1000000 };

	while (!ended) {
		if (ioctl(file, MSHV_INITIALIZE_PARTITION) != -1 || errno != ENOTTY)
			unexpected++;
		if (epoll_wait(poll, &event, 1, 20) != 0)
			unexpected++;
		if (nanosleep(&pause, NULL) != 0)
			unexpected++;
	}
	return unused;
}

int main(void)
{
	pthread_t threads[THREADS];
	sigset_t all, none;
	struct sigaction ends = { .sa_handler = end }, counts = { .sa_handler = count };

	sigfillset(&all);
	sigemptyset(&none);
	sigaction(SIGTERM, &ends, NULL);
	sigaction(SIGUSR1, &counts, NULL);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, NULL);
	printf("%d\n", getpid());
	fflush(stdout);
	while (!ended)
		sigsuspend(&none);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("unexpected=%d caught=%d\n", unexpected, caught);
	return 0;
}
