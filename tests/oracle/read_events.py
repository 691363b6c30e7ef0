"""Reads TensorBoard event files without TensorBoard: prints "first STEP" for a session's start and "STEP TAG VALUE" lines.
Sums are compared bit by bit (no table), messages are parsed by Google's protobuf library from field numbers of event.proto."""
import struct
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

F = descriptor_pb2.FieldDescriptorProto


def message_types():
    file = descriptor_pb2.FileDescriptorProto(name="event.proto", package="t", syntax="proto3")
    def message(name, *fields):
        m = file.message_type.add(name=name)
        for number, field, kind, *rest in fields:
            f = m.field.add(name=field, number=number, type=kind, label=F.LABEL_REPEATED if "many" in rest else F.LABEL_OPTIONAL)
            if kind == F.TYPE_MESSAGE:
                f.type_name = ".t." + rest[0]
    message("Value", (1, "tag", F.TYPE_STRING), (2, "simple_value", F.TYPE_FLOAT))
    message("Summary", (1, "value", F.TYPE_MESSAGE, "Value", "many"))
    message("SessionLog", (1, "status", F.TYPE_INT32))
    message("Event", (1, "wall_time", F.TYPE_DOUBLE), (2, "step", F.TYPE_INT64), (3, "file_version", F.TYPE_STRING),
            (5, "summary", F.TYPE_MESSAGE, "Summary"), (7, "session_log", F.TYPE_MESSAGE, "SessionLog"))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName("t.Event")
    return message_factory.GetMessageClass(found) if hasattr(message_factory, "GetMessageClass") else message_factory.MessageFactory(pool).GetPrototype(found)


def masked_crc(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    while data:
        length, length_crc = struct.unpack("<QI", data[:12])
        assert length_crc == masked_crc(data[:8]), "sum of a length"
        body, (crc,) = data[12:12 + length], struct.unpack("<I", data[12 + length:16 + length])
        assert crc == masked_crc(body), "sum of a message"
        yield body
        data = data[16 + length:]


Event = message_types()
for path in sys.argv[1:]:
    for i, body in enumerate(records(open(path, "rb").read())):
        event = Event.FromString(body)
        assert event.wall_time > 1.5e9
        assert (event.file_version == "brain.Event:2") == (i == 0)
        if event.session_log.status == 1:
            print("first", event.step)
        for value in event.summary.value:
            print(event.step, value.tag, repr(value.simple_value))
