#include "host/network/io/onnx/schema.h"

#include <onnx/checker.h>
#include <onnx/defs/schema.h>

#include <string>

#include "host/base/text.h"

namespace bittern::onnx_io {

void check_schema(const FileNode& where, const onnx::NodeProto& node, int opset) {
  const auto& versions = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
  const auto known = versions.find("");
  if (known == versions.end() || opset > known->second.second) return;
  const onnx::OpSchema* const schema = onnx::OpSchemaRegistry::Schema(node.op_type(), opset, "");
  if (schema == nullptr || schema->Deprecated()) {
    where.fail("opset " + std::to_string(opset) + " of ONNX does not have this operation");
  }
  try {
    schema->Verify(node);
  } catch (const onnx::checker::ValidationError& error) {
    std::string message = error.what();
    message = message.substr(0, message.find('\n'));
    where.fail("it does not fit its definition: " + shortened(printable(message), 200));
  }
}

}  // namespace bittern::onnx_io
