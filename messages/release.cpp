#include "messages/codec.hpp"

namespace troupe {

// Alone in its object file: a program that brings a definition of its own leaves this one out.
const bool future_records = false;

} // namespace troupe
