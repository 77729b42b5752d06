#pragma once

#include "host/search/method.h"

namespace bittern {

/// "local": hill climbing from what the wall makes of the most bits. A step changes one layer by
/// one width, or gives a width of one layer to another; only policies within the limits are asked
/// for. Where no neighbour is better, it starts again from the best policy with some layers drawn
/// anew (iterated local search: Lourenco, Martin and Stuetzle, 2003). Never asks for a policy
/// twice; done when it finds no new one.
MethodKind local_method();

}  // namespace bittern
