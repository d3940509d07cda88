// Counters over `ws`: JSON messages, one handler for each connection.
import { WebSocket, WebSocketServer } from "ws";
import { ready } from "./ready.mjs";

const START = 1_000_000_000; // Totals have ten digits from the first to the last.
const followers = new Set();
const purses = [];
let board = START;

const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });

server.on("connection", (socket) => {
  let counter = START;

  const calls = {
    bump: () => ++counter,
    follow: () => {
      followers.add(socket);
      return board;
    },
    write: () => {
      const text = JSON.stringify({ written: ++board });
      for (const follower of followers) {
        if (follower.readyState === WebSocket.OPEN) follower.send(text);
      }
      return board;
    },
    enroll: () => {
      purses.push({ owner: socket, total: START });
      return START;
    },
    give: (number) => {
      const purse = purses[number];
      purse.owner.send(JSON.stringify({ given: ++purse.total }));
      return purse.total;
    },
  };

  socket.on("error", console.error);
  socket.on("close", () => followers.delete(socket));
  socket.on("message", (data) => {
    const { id, call, to } = JSON.parse(data);
    socket.send(JSON.stringify({ id, total: calls[call](to) }));
  });
});

server.on("listening", () => ready(server.address().port, "ws"));
process.on("SIGTERM", () => process.exit(0));
