/* Guests whose memory others change: by the first argument what happens. */
#include "common.h"
#include <pthread.h>

#define CODE_AT 0x600
#define DATA_AT 0x700
#define HLT 0xf4
#define NOP 0x90

/* jmp 0:600h */
static const unsigned char reset[] = { 0xea, 0x00, 0x06, 0x00, 0x00 };
/* three times: mov al, [700h]; mov [701h], al; hlt */
static const unsigned char copies[] = {
	0xa0, 0x00, 0x07, 0xa2, 0x01, 0x07, HLT,
	0xa0, 0x00, 0x07, 0xa2, 0x02, 0x07, HLT,
	0xa0, 0x00, 0x07, 0xa2, 0x03, 0x07, HLT,
};
/* mov byte [701h], 1; again: mov al, [700h]; test al, al; jz again; hlt */
static const unsigned char waits[] = { 0xc6, 0x06, 0x01, 0x07, 0x01, 0xa0, 0x00, 0x07, 0x84, 0xc0, 0x74, 0xf9, HLT };
/* mov cx, 40000; again: lock inc word [700h]; loop again; hlt */
static const unsigned char counts[] = { 0xb9, 0x40, 0x9c, 0xf0, 0xff, 0x06, 0x00, 0x07, 0xe2, 0xf9, HLT };

/* again: hlt; jmp again */
static const unsigned char halts[] = { HLT, 0xeb, 0xfd };
#define MUCH (64 << 20)
#define WRITES 10

static unsigned char *memory;

static int start(const unsigned char *code, size_t size, int vps[], int count)
{
	int partition = create_partition(open_device());

	memory = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memcpy(memory + CODE_AT, code, size);
	memcpy(memory + 4096 + 0xff0, reset, sizeof(reset));
	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	give_memory(partition, memory, 4096, 0);
	give_memory(partition, memory + 4096, 4096, 0xfffff);
	for (int index = 0; index < count; index++)
		vps[index] = create_vp(partition, index);
	return partition;
}

static void *run(void *vp)
{
	struct hv_message message;

	return ioctl(*(int *)vp, MSHV_RUN_VP, &message) == 0 && message.type == HVMSG_X64_HALT ? vp : NULL;
}

/* Once the guest runs. */
static void *write_later(void *nothing)
{
	while (((volatile unsigned char *)memory)[DATA_AT + 1] == 0)
		usleep(1000);
	memory[DATA_AT] = 1;
	return nothing;
}

/*
 * A byte in each of three ways at places all over the memory, a run of the guest behind each: by the mapping that was given, by another one of the
 * same file where there is a file, and by read(2). Memory of its own, or a file's.
 */
static void write_anywhere(int has_file)
{
	int fd = has_file ? memfd_create("ram", 0) : -1;
	int sharing = has_file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
	unsigned char *other, *page = new_page(MAP_PRIVATE);
	int partition = create_partition(open_device());
	unsigned place = 12345;
	int pipes[2], vp;

	if (has_file && ftruncate(fd, MUCH) != 0)
		exit(1);
	memory = mmap(NULL, MUCH, PROT_READ | PROT_WRITE, sharing, fd, 0);
	other = has_file ? mmap(NULL, MUCH, PROT_READ | PROT_WRITE, sharing, fd, 0) : memory;
	memcpy(memory + CODE_AT, halts, sizeof(halts));
	memcpy(page + 0xff0, reset, sizeof(reset));
	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	give_memory(partition, memory, MUCH, 0);
	give_memory(partition, page, 4096, 0xfffff);
	vp = create_vp(partition, 0);
	if (pipe(pipes) != 0 || run(&vp) == NULL)
		exit(1);
	for (int n = 0; n < 3 * WRITES; n++) {
		unsigned char value = n + 1;

		place = (place * 1103515245u + 12345u) % (MUCH - 4096);
		if (n % 3 == 0)
			memory[4096 + place] = value;
		else if (n % 3 == 1)
			other[4096 + place] = value;
		else if (write(pipes[1], &value, 1) != 1 || read(pipes[0], memory + 4096 + place, 1) != 1)
			exit(1);
		printf("0x%x:%02x\n", 4096 + place, value);
		if (run(&vp) == NULL)
			exit(1);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	pthread_t threads[2];
	int vps[2];

	if (strcmp(what, "rewritten") == 0) {
		start(copies, sizeof(copies), vps, 1);
		for (int round = 0; round < 3; round++) {
			memory[DATA_AT] = 5 + round;
			if (run(&vps[0]) == NULL)
				return 1;
			/* The guest goes on behind its HLT, which is rewritten. */
			memory[CODE_AT + 7 * round + 6] = NOP;
		}
		printf("seen=%d %d %d\n", memory[DATA_AT + 1], memory[DATA_AT + 2], memory[DATA_AT + 3]);
	} else if (strcmp(what, "meanwhile") == 0) {
		start(waits, sizeof(waits), vps, 1);
		pthread_create(&threads[0], NULL, write_later, NULL);
		printf("seen=%d\n", run(&vps[0]) != NULL);
	} else if (strcmp(what, "two") == 0) {
		void *ended[2];

		start(counts, sizeof(counts), vps, 2);
		for (int index = 0; index < 2; index++)
			pthread_create(&threads[index], NULL, run, &vps[index]);
		for (int index = 0; index < 2; index++)
			pthread_join(threads[index], &ended[index]);
		printf("count=%d\n", ended[0] == NULL || ended[1] == NULL ? -1 : *(unsigned short *)(memory + DATA_AT));
	} else if (strcmp(what, "own") == 0 || strcmp(what, "file") == 0) {
		write_anywhere(what[0] == 'f');
	}
	return 0;
}
