# The ported receiver and the datagrams of two senders, at times that are given, in Godot 3.2.   usage: see test_godot_nodes.py
#
# request.json: {"source", "port", "steps": [{"sender": 0 or 1, "now_s", "datagrams" (base64)} or {"restart": true}]}. told.json: after
# each step the face that was last taken, how many were, and whether somebody is heard.
extends SceneTree


func _initialize():
	var file = File.new()
	file.open("res://request.json", File.READ)
	var request = JSON.parse(file.get_as_text()).result
	var receiver = load("res://receiver.gd").new()
	receiver.source = int(request["source"])
	receiver.udp_port = int(request["port"])
	receiver._keeper = Taken.new()
	receiver.restart()
	var senders = []
	for _at in range(2):
		senders.append(PacketPeerUDP.new())
		senders.back().set_dest_address("127.0.0.1", int(request["port"]))
	var told = []
	for step in request["steps"]:
		if step.has("restart"):
			receiver.restart()
		else:
			for datagram in step["datagrams"]:
				senders[int(step["sender"])].put_packet(Marshalls.base64_to_raw(datagram))
			OS.delay_msec(20)
			receiver._hear(step["now_s"])
		var taken = receiver._keeper
		told.append({"count": taken.count, "time_s": taken.time_s, "weights": taken.weights, "head": taken.head})
	receiver.restart()
	receiver._leave()
	receiver.free()
	var out = File.new()
	out.open("res://told.json", File.WRITE)
	out.store_string(JSON.print(told))
	out.close()
	quit()


# In the place of keeper.gd.
class Taken:
	var count = 0
	var time_s = 0.0
	var weights = []
	var head = []

	func took(frame, _now_s):
		count += 1
		time_s = frame.media_time_s
		weights = frame.weights.duplicate()
		head = frame.head_wxyz.duplicate()
