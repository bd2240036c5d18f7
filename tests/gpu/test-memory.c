// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which type of memory a buffer gets on devices of paper, laid out as real ones are. */
#include "gpu/memory.h"
#include "run-cases.h"

#define LOCAL VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT
#define VISIBLE VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT
#define COHERENT VK_MEMORY_PROPERTY_HOST_COHERENT_BIT
#define CACHED VK_MEMORY_PROPERTY_HOST_CACHED_BIT
#define ALL 0xffffffffu

static void add_heap(VkPhysicalDeviceMemoryProperties *memory, guint64 mebibytes) {
  memory->memoryHeaps[memory->memoryHeapCount++].size = mebibytes << 20;
}

static void add_type(VkPhysicalDeviceMemoryProperties *memory, VkMemoryPropertyFlags flags,
                     guint32 heap) {
  memory->memoryTypes[memory->memoryTypeCount++] = (VkMemoryType){flags, heap};
}

/* A card with 16 GiB, of which the processor sees @window MiB. */
static VkPhysicalDeviceMemoryProperties make_card(guint64 window) {
  VkPhysicalDeviceMemoryProperties memory = {0};
  add_heap(&memory, 16384);
  add_heap(&memory, 32768);
  add_heap(&memory, window);
  add_type(&memory, LOCAL, 0);
  add_type(&memory, VISIBLE | COHERENT, 1);
  add_type(&memory, VISIBLE | COHERENT | CACHED, 1);
  add_type(&memory, LOCAL | VISIBLE | COHERENT, 2);
  return memory;
}

START_TEST(test_uploads_go_to_the_card_through_a_large_window_alone) {
  const VkPhysicalDeviceMemoryProperties large = make_card(16384), small = make_card(256);
  ck_assert_int_eq(swin_memory_choose(&large, ALL, SWIN_BUFFER_UPLOAD), 3);
  ck_assert_int_eq(swin_memory_choose(&small, ALL, SWIN_BUFFER_UPLOAD), 1);
  /* Not of a type that the buffer cannot have. */
  ck_assert_int_eq(swin_memory_choose(&large, ~(1u << 3), SWIN_BUFFER_UPLOAD), 1);
}
END_TEST

START_TEST(test_other_uses_of_a_card) {
  for (guint i = 0; i < 2; i++) {
    const VkPhysicalDeviceMemoryProperties memory = make_card(i > 0 ? 16384 : 256);
    ck_assert_int_eq(swin_memory_choose(&memory, ALL, SWIN_BUFFER_DEVICE), 0);
    ck_assert_int_eq(swin_memory_choose(&memory, ALL, SWIN_BUFFER_DOWNLOAD), 2);
    ck_assert_int_eq(swin_memory_choose(&memory, 0x2, SWIN_BUFFER_DEVICE), 1);
    ck_assert_int_eq(swin_memory_choose(&memory, 0x2, SWIN_BUFFER_DOWNLOAD), 1);
    ck_assert_int_eq(swin_memory_choose(&memory, 0x1, SWIN_BUFFER_UPLOAD), -1);
    ck_assert_int_eq(swin_memory_choose(&memory, 0x1, SWIN_BUFFER_DOWNLOAD), -1);
  }
}
END_TEST

START_TEST(test_processors_and_incoherent_memory) {
  VkPhysicalDeviceMemoryProperties one = {0}, phone = {0};
  add_heap(&one, 128);
  add_type(&one, LOCAL | VISIBLE | COHERENT | CACHED, 0);
  add_heap(&phone, 8192);
  add_type(&phone, LOCAL | VISIBLE | CACHED, 0);
  for (SwinBufferUse use = SWIN_BUFFER_DEVICE; use <= SWIN_BUFFER_DOWNLOAD; use++) {
    ck_assert_int_eq(swin_memory_choose(&one, ALL, use), 0);
    ck_assert_int_eq(swin_memory_choose(&phone, ALL, use), 0);
  }
}
END_TEST

int main(void) {
  TCase *cases = tcase_create("memory");
  tcase_add_test(cases, test_uploads_go_to_the_card_through_a_large_window_alone);
  tcase_add_test(cases, test_other_uses_of_a_card);
  tcase_add_test(cases, test_processors_and_incoherent_memory);
  return run_cases("gpu-memory", cases);
}
