// Stands in for libvulkan.so.1 on a machine without a GPU. Calls go straight to Mesa's RADV, which with RADV_FORCE_FAMILY
// is the driver of a card that is not there: it compiles pipelines for that card, and has nothing to run them on. So
// pipelines are real here, and memory, queues, fences and command buffers are stubs. What a shader would write stays 0.
//
// S2AM_NULL_VULKAN_DRIVER is the path of libvulkan_radeon.so.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <vulkan/vulkan.h>

static PFN_vkGetInstanceProcAddr driverInstanceProc;
static PFN_vkGetDeviceProcAddr driverDeviceProc;

static void fail(const char *what, const char *why) {
  fprintf(stderr, "null_vulkan: %s: %s\n", what, why ? why : "missing");
  exit(3);
}

__attribute__((constructor)) static void load(void) {
  const char *path = getenv("S2AM_NULL_VULKAN_DRIVER");
  if (!path) fail("S2AM_NULL_VULKAN_DRIVER", "not set");
  void *driver = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!driver) fail(path, dlerror());
  VkResult (*negotiate)(uint32_t *) = (VkResult(*)(uint32_t *))dlsym(driver, "vk_icdNegotiateLoaderICDInterfaceVersion");
  uint32_t version = 5;
  if (negotiate) negotiate(&version);
  driverInstanceProc = (PFN_vkGetInstanceProcAddr)dlsym(driver, "vk_icdGetInstanceProcAddr");
  if (!driverInstanceProc) fail(path, "it has no vk_icdGetInstanceProcAddr");
}

static void nothing(void) {}
static VkResult success(void) { return VK_SUCCESS; }

/** Handles that only the stubs see. */
static VkResult makeHandle(void *owner, const void *info, const void *allocator, uint64_t *handle) {
  static uint64_t last = 0;
  *handle = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
  return VK_SUCCESS;
}

/** A loader's own: the driver knows no layers. */
static VkResult noLayers(uint32_t *count, VkLayerProperties *layers) {
  *count = 0;
  return VK_SUCCESS;
}

/** One heap that the card and the host both see, so that nothing has to be staged. */
static void memoryProperties(VkPhysicalDevice physical, VkPhysicalDeviceMemoryProperties *properties) {
  memset(properties, 0, sizeof *properties);
  properties->memoryHeapCount = 1;
  properties->memoryHeaps[0] = (VkMemoryHeap){24ull << 30, VK_MEMORY_HEAP_DEVICE_LOCAL_BIT};
  properties->memoryTypeCount = 1;
  properties->memoryTypes[0] =
      (VkMemoryType){VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                         VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
                     0};
}
static void memoryProperties2(VkPhysicalDevice physical, VkPhysicalDeviceMemoryProperties2 *properties) {
  memoryProperties(physical, &properties->memoryProperties);
}

static PFN_vkGetBufferMemoryRequirements driverRequirements;
static PFN_vkGetBufferMemoryRequirements2 driverRequirements2;
static void bufferRequirements(VkDevice device, VkBuffer buffer, VkMemoryRequirements *requirements) {
  driverRequirements(device, buffer, requirements);
  requirements->memoryTypeBits = 1;
}
static void bufferRequirements2(VkDevice device, const VkBufferMemoryRequirementsInfo2 *info,
                                VkMemoryRequirements2 *requirements) {
  driverRequirements2(device, info, requirements);
  requirements->memoryRequirements.memoryTypeBits = 1;
}

typedef struct {
  size_t size;
  char *data;
} Memory;
static VkResult allocateMemory(VkDevice device, const VkMemoryAllocateInfo *info, const VkAllocationCallbacks *allocator,
                               VkDeviceMemory *handle) {
  Memory *memory = malloc(sizeof *memory);
  if (!memory) return VK_ERROR_OUT_OF_HOST_MEMORY;
  memory->size = info->allocationSize;
  memory->data = mmap(NULL, memory->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory->data == MAP_FAILED) {
    free(memory);
    return VK_ERROR_OUT_OF_DEVICE_MEMORY;
  }
  *handle = (VkDeviceMemory)memory;
  return VK_SUCCESS;
}
static void freeMemory(VkDevice device, VkDeviceMemory handle, const VkAllocationCallbacks *allocator) {
  Memory *memory = (Memory *)handle;
  if (!memory) return;
  munmap(memory->data, memory->size);
  free(memory);
}
static VkResult mapMemory(VkDevice device, VkDeviceMemory handle, VkDeviceSize offset, VkDeviceSize size,
                          VkMemoryMapFlags flags, void **data) {
  *data = ((Memory *)handle)->data + offset;
  return VK_SUCCESS;
}

typedef struct {
  const char *name;
  PFN_vkVoidFunction function;
} Entry;
#define STUB(name, function) {name, (PFN_vkVoidFunction)(function)}
static const Entry STUBS[] = {
    STUB("vkGetPhysicalDeviceMemoryProperties", memoryProperties),
    STUB("vkGetPhysicalDeviceMemoryProperties2", memoryProperties2),
    STUB("vkGetPhysicalDeviceMemoryProperties2KHR", memoryProperties2),
    STUB("vkGetBufferMemoryRequirements", bufferRequirements),
    STUB("vkGetBufferMemoryRequirements2", bufferRequirements2),
    STUB("vkGetBufferMemoryRequirements2KHR", bufferRequirements2),
    STUB("vkAllocateMemory", allocateMemory),
    STUB("vkFreeMemory", freeMemory),
    STUB("vkMapMemory", mapMemory),
    STUB("vkUnmapMemory", nothing),
    STUB("vkFlushMappedMemoryRanges", success),
    STUB("vkInvalidateMappedMemoryRanges", success),
    STUB("vkBindBufferMemory", success),
    STUB("vkBindBufferMemory2", success),
    STUB("vkUpdateDescriptorSets", nothing),
    STUB("vkFreeDescriptorSets", success),
    STUB("vkBeginCommandBuffer", success),
    STUB("vkEndCommandBuffer", success),
    STUB("vkResetCommandBuffer", success),
    STUB("vkResetCommandPool", success),
    STUB("vkFreeCommandBuffers", nothing),
    STUB("vkQueueSubmit", success),
    STUB("vkQueueSubmit2", success),
    STUB("vkQueueWaitIdle", success),
    STUB("vkDeviceWaitIdle", success),
    STUB("vkCreateFence", makeHandle),
    STUB("vkCreateSemaphore", makeHandle),
    STUB("vkWaitForFences", success),
    STUB("vkGetFenceStatus", success),
    STUB("vkResetFences", success),
    STUB("vkGetFenceFdKHR", success),
    STUB("vkSignalSemaphore", success),
    STUB("vkWaitSemaphores", success),
    STUB("vkGetQueryPoolResults", success),
};

/** What the program gets under a name: the driver's function, unless it would need a card. */
static PFN_vkVoidFunction choose(const char *name, PFN_vkVoidFunction driver) {
  if (!driver) return NULL;
  if (!strcmp(name, "vkGetBufferMemoryRequirements")) driverRequirements = (PFN_vkGetBufferMemoryRequirements)driver;
  if (!strncmp(name, "vkGetBufferMemoryRequirements2", 30))
    driverRequirements2 = (PFN_vkGetBufferMemoryRequirements2)driver;
  for (size_t i = 0; i < sizeof STUBS / sizeof *STUBS; i++)
    if (!strcmp(name, STUBS[i].name)) return STUBS[i].function;
  if (!strncmp(name, "vkCmd", 5)) return nothing;
  // Stubs' handles are none of the driver's, so nothing is handed back to it; the process is short.
  if (!strncmp(name, "vkDestroy", 9) && strcmp(name, "vkDestroyInstance")) return nothing;
  return driver;
}

#define EXPORT __attribute__((visibility("default")))

EXPORT PFN_vkVoidFunction vkGetDeviceProcAddr(VkDevice device, const char *name) {
  if (!strcmp(name, "vkGetDeviceProcAddr")) return (PFN_vkVoidFunction)vkGetDeviceProcAddr;
  return choose(name, driverDeviceProc(device, name));
}

EXPORT PFN_vkVoidFunction vkGetInstanceProcAddr(VkInstance instance, const char *name) {
  if (!strcmp(name, "vkGetInstanceProcAddr")) return (PFN_vkVoidFunction)vkGetInstanceProcAddr;
  if (!strcmp(name, "vkEnumerateInstanceLayerProperties")) return (PFN_vkVoidFunction)noLayers;
  if (instance && !driverDeviceProc)
    driverDeviceProc = (PFN_vkGetDeviceProcAddr)driverInstanceProc(instance, "vkGetDeviceProcAddr");
  if (!strcmp(name, "vkGetDeviceProcAddr")) return (PFN_vkVoidFunction)vkGetDeviceProcAddr;
  return choose(name, driverInstanceProc(instance, name));
}
