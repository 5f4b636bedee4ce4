// The ready queue: an intrusive FIFO of coroutines that may run.
//
// Owns nothing: a node lives in the frame of the coroutine that waits (in an operation, a task's
// promise, a sleep, an event's waiter). Only the loop pops and resumes; everybody else pushes.
// Completions are queued here while the completion queue is being reaped and run only afterwards:
// a coroutine that is resumed in the middle of reaping could submit, overflow or destroy what the
// reaping loop is still looking at.
#pragma once

#include <coroutine>

namespace uring {

struct ready_node {
  ready_node* next_ready = nullptr;
  std::coroutine_handle<> waiter;
};

class ready_queue {
 public:
  [[nodiscard]] bool empty() const { return head_ == nullptr; }

  void push(ready_node& node) {
    node.next_ready = nullptr;
    if (tail_ != nullptr) {
      tail_->next_ready = &node;
    } else {
      head_ = &node;
    }
    tail_ = &node;
  }

  ready_node* pop() {
    ready_node* node = head_;
    if (node != nullptr) {
      head_ = node->next_ready;
      if (head_ == nullptr) tail_ = nullptr;
    }
    return node;
  }

 private:
  ready_node* head_ = nullptr;
  ready_node* tail_ = nullptr;
};

}  // namespace uring
