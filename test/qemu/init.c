/*
 * The only program of the Linux guest of linux.sh, with its C library inside: a thread pointer, another process, another thread, vector
 * instructions that the library chooses by CPUID, floating point. Says which kernel runs it, and powers the machine off.
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BYTES = 100000, CHILD_STATUS = 3 };

static _Thread_local long own = 7;

static void *thread(void *value)
{
	own += (long)value;
	return (void *)own;
}

/* What is wrong; 0 for nothing. */
static const char *try_all(void)
{
	char *text = malloc(BYTES);
	pthread_t other;
	void *result;
	int status;
	pid_t child;

	memset(text, 'x', BYTES - 1);
	text[BYTES - 1] = 0;
	if (strlen(text) != BYTES - 1 || strchr(text, 'y') != NULL)
		return "strings";
	if (fabs(sin(own + 1.0) - 0.98935824662338179) > 1e-15 || sqrt(own + 2.0) != 3)
		return "floating point";
	child = fork();
	if (child == 0)
		_exit(own == 7 ? CHILD_STATUS : 0);
	if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != CHILD_STATUS)
		return "a process";
	if (pthread_create(&other, NULL, thread, (void *)5) != 0 || pthread_join(other, &result) != 0 || (long)result != 12 || own != 7)
		return "a thread";
	free(text);
	return NULL;
}

int main(void)
{
	const char *wrong = try_all();
	struct utsname names;

	uname(&names);
	if (wrong == NULL)
		printf("init: user code runs on %s %s\n", names.sysname, names.release);
	else
		printf("init: wrong: %s\n", wrong);
	fflush(stdout);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
