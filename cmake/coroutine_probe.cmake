message(STATUS "coroutine probe: pending")
