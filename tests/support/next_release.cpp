/// Makes the program that it is linked into one of the next release.
#include "messages/codec.hpp"

namespace troupe {

const bool future_records = true;

} // namespace troupe
