/* Ioctls: every number of every dialect with random arguments, and enough right ones that there are partitions and VPs. */
#include "torture.h"
#include "numbers.h"

long call(struct self *self, int fd, unsigned long op, void *argument)
{
	__atomic_add_fetch(&self->count->ioctls, 1, __ATOMIC_RELAXED);
	return syscall(SYS_ioctl, fd, op, argument);
}

/* A value such as fields have: mostly small, now and then anything. */
static uint64_t value(struct self *self)
{
	switch (below(self, 8)) {
	case 0:
		return any(self);
	case 1:
		return (uint64_t)(uintptr_t)self->arena + below(self, ARENA);
	case 2:
		return (uint64_t)(uintptr_t)self->arena + below(self, 8) * PAGE;
	case 3:
		return PAGE << below(self, 6);
	case 4:
		return 1ull << below(self, 64);
	default:
		return below(self, 20);
	}
}

void any_ioctl(struct self *self)
{
	uint64_t argument[64] = { 0 };
	unsigned long op = numbers[below(self, sizeof(numbers) / sizeof(*numbers))];
	unsigned int words = ((op >> 16) & 0x3fff) / 8 + 1;
	unsigned int i;

	for (i = 0; i < words && i < 64; i++)
		argument[i] = value(self);
	/* Fields of 4 bytes beside each other. */
	for (i = 0; i < words && i < 64; i++)
		if (one_in(self, 3))
			argument[i] = (below(self, 20) << 32) | below(self, 300);
	if (one_in(self, 20))
		op ^= 1ul << below(self, 32);
	/* Still one of the drivers': others are not theirs to see, and not counted. */
	if (((op >> 8) & 0xff) != 0xb8)
		op = (op & ~0xff00ul) | 0xb800;
	switch (below(self, 12)) {
	case 0:
		call(self, some_fd(self), op, NULL);
		break;
	case 1:
		call(self, some_fd(self), op, (void *)(uintptr_t)any(self));
		break;
	case 2:
		/* At the end of the stack of pages: the rest of it is not there. */
		call(self, some_fd(self), op, self->arena + ARENA - below(self, 40));
		break;
	default:
		call(self, some_fd(self), op, argument);
	}
}

/* A partition with memory and a VP, as a VMM makes it; its guest executes whatever stands in the arena. */
void machine(struct self *self)
{
	struct mshv_create_partition create = { .pt_flags = below(self, 8) };
	struct mshv_user_mem_region region = {
		.size = PAGE,
		.guest_pfn = 0xfffff,
		.userspace_addr = (uintptr_t)self->arena,
		.flags = MSHV_MEM_WRITABLE | MSHV_MEM_EXECUTABLE,
	};
	static const uint8_t codes[][4] = {
		{ 0x40, 0xeb, 0xfd },       /* again: inc ax; jmp again */
		{ 0xf4, 0xeb, 0xfd },       /* again: hlt; jmp again */
		{ 0xe6, 0x80, 0xeb, 0xfc }, /* again: out 80h, al; jmp again */
		{ 0x0f, 0xa2, 0xeb, 0xfc }, /* again: cpuid; jmp again */
	};
	uint32_t index = below(self, 3);
	struct hv_message message;
	int partition, vp, n;

	partition = call(self, some_fd(self), MSHV_CREATE_PARTITION, &create);
	keep(self, partition);
	call(self, partition, MSHV_INITIALIZE_PARTITION, NULL);
	memcpy(self->arena + 0xff0, codes[below(self, 4)], 4);
	call(self, partition, MSHV_SET_GUEST_MEMORY, &region);
	vp = call(self, partition, MSHV_CREATE_VP, &index);
	keep(self, vp);
	for (n = below(self, 6); n >= 0; n--)
		call(self, vp, MSHV_RUN_VP, &message);
}
