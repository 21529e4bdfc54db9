import os, random, time, threading, pytest
from tests.host.serving import serving
from tests.support.fake_engine import FakeEngine, speak
from cbtui.engine.base import *
from cbtui.core.events import ChunkProgressed
import collections
class E(FakeEngine):
    def __init__(self, r): super().__init__(); self.r=r; self.calm=False; self.batch=4
    def prepare(self,*,emit,should_stop):
        if not self.calm and self.r.random()<.03: raise EngineUnavailable("gone")
    def render(self, requests,*,emit,should_stop):
        for q in requests:
            for t in range(4):
                if should_stop(): return
                time.sleep(.001); emit(ChunkProgressed(q.request_id,t))
            if not self.calm:
                x=self.r.random()
                if x<.02: raise EngineUnavailable("gone")
                if x<.04: raise OutOfMemory("oom")
                if x<.06: raise RuntimeError("boom")
                if x<.08: yield ChunkFailure(q.request_id,"garbled"); continue
            self.requests.append(q); yield speak(q)
def text(r,n,broken):
    if broken: return "text: [\n"
    return "seed: 1\nmodel: %s\npriority: %d\nchunking: {target: 40, limit: 60}\ntext: |\n"%(r.choice(["english","turbo"]), r.choice([0,0,0,1])) + "\n\n".join(f"  Task {n} version {r.randrange(50)} sentence {i}." for i in range(r.randrange(1,5)))+"\n"
@pytest.mark.parametrize("seed", range(int(os.environ.get("SEEDS","4"))))
def test_chaos(places, monkeypatch, seed):
    import cbtui.host.blocks as b
    monkeypatch.setattr(b,"_PATIENCE",{"engine":(.02,.1),"memory":(.02,.1),"disk":(.02,.1),"in use":(.02,.1)})
    r=random.Random(seed); e=E(random.Random(seed+1000))
    with serving(places, e) as s:
        names=[f"t{i}" for i in range(8)]
        end=time.monotonic()+8
        while time.monotonic()<end:
            n=r.choice(names); x=r.random()
            if x<.25: s.drop(n+".yaml", text(r,n,r.random()<.2))
            elif x<.3:
                try: (places.jobs/(n+".yaml")).unlink()
                except OSError: pass
            elif x<.9:
                v=r.choice(["pause","resume","cancel","retry","retry","remove","priority","move","shift"])
                a={"tasks":[r.choice([n,"*","jobs/"+n])]}
                if v=="retry" and r.random()<.3: a["fresh"]=True
                if v=="priority": a["by"]=r.choice([-1,1])
                if v=="move": a["place"]=r.randrange(1,9)
                if v=="shift": a["by"]=r.choice([-2,2])
                s.store.commands.post(v,a)
            elif x<.95: s.store.commands.post(r.choice(["pause","resume"]))
            else: s.store.commands.post(r.choice(["load","unload"]),{"model":"turbo"})
            time.sleep(r.random()*.03)
        e.calm=True
        s.until(lambda: not s.store.commands.waiting(),"answered")
        for n in names: s.drop(n+".yaml", text(r,n,False))
        s.ask("resume"); 
        def ok():
            st=s.states()
            return len(st)==8 and all(v in ("done","paused","cancelled","failed","quarantined") for v in st.values()) or (s.ask("resume",tasks=["*"]), s.ask("retry",tasks=["*"]))[0] is None
        try:
            time.sleep(.5)
            s.until(ok,"settled",20)
            for _ in range(100):
                if set(s.states().values())=={"done"}: break
                s.ask("resume",tasks=["*"]); s.ask("retry",tasks=["*"]); time.sleep(.1)
            assert set(s.states().values())=={"done"}, s.states()
        finally:
            bad=[x.line() for x in s.told if "unexpected" in x.message and "boom" not in x.message]
            print(seed, s.states(), collections.Counter(x.kind for x in s.told)); print(*bad,sep="\n")
        assert not bad
        assert s.host._line.current is None
        c=collections.Counter((q.text,q.seed) for q in e.requests)
        print("twice", {k:v for k,v in c.items() if v>1})
        assert not [p for p in places.output.rglob("*.part")]
        counts=s.store.queue.counts(); assert counts["rendering"]==0
