// Counters over Colyseus: one room, requests with replies, messages to all or to one client.
//
// State that Colyseus synchronizes by itself goes out twenty times a second, with what happened in
// between merged; here each change is to reach its readers, so changes are messages.
import { Room, Server } from "@colyseus/core";
import { WebSocketTransport } from "@colyseus/ws-transport";
import { ready } from "./ready.mjs";

const START = 1_000_000_000; // Totals have ten digits from the first to the last.

class Counters extends Room {
  purses = [];
  board = START;

  onCreate() {
    this.onMessage("bump", (client) => ++client.userData.counter);
    // Everybody in the room but the writer follows.
    this.onMessage("follow", () => this.board);
    this.onMessage("write", (client) => {
      this.board += 1;
      this.broadcast("written", this.board, { except: client });
      return this.board;
    });
    this.onMessage("enroll", (client) => {
      this.purses.push({ owner: client, total: START });
      return START;
    });
    this.onMessage("give", (client, number) => {
      const purse = this.purses[number];
      purse.owner.send("given", ++purse.total);
      return purse.total;
    });
  }

  onJoin(client) {
    client.userData = { counter: START };
  }
}

const transport = new WebSocketTransport();
const server = new Server({ transport, greet: false });
server.define("counters", Counters);
await server.listen(0, "127.0.0.1");
ready(transport.server.address().port, "@colyseus/core");
process.on("SIGTERM", () => process.exit(0));
